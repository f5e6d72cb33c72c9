import { judged, passes } from '../judgement.ts';
import type { Filter } from './filter.ts';

/** isolated_hosts_filter.py: hosts that are kept for images, and images for hosts, by nova.conf. */
export const isolatedHostsFilter: Filter = {
  title: 'isolated',
  isWhole: true,
  judge: ({ host }, scene) => {
    const images = scene.options.list('filter_scheduler.isolated_images');
    const hosts = scene.options.list('filter_scheduler.isolated_hosts');
    const isStrict = scene.options.flag('filter_scheduler.restrict_isolated_hosts_to_isolated_images', true);
    const isHost = hosts.includes(host);
    const isImage = scene.wish.image !== undefined && images.includes(scene.wish.image.id);
    const isIn = images.length === 0 ? !isStrict || !isHost : isStrict ? isImage === isHost : !isImage || isHost;
    if (isIn) return passes;
    return judged([
      {
        kind: isImage ? 'isolated image' : 'isolated host',
        of: 'image',
        because: isImage ? 'image is for other hosts' : 'kept for other images',
        wanted: isImage ? 'a host of isolated_hosts' : 'a host that is not isolated',
        has: isHost ? 'one of isolated_hosts' : 'none of isolated_hosts',
        ways: [
          [
            {
              kind: 'filter',
              on: 'cloud',
              filter: 'IsolatedHostsFilter',
              because: `isolated_hosts and isolated_images of [filter_scheduler] keep the image from ${isImage ? 'this host' : 'isolated hosts'}`,
            },
          ],
        ],
      },
    ]);
  },
};
