"""Random security groups on the instances of a lab: what `ostk-doctor reach` computes against what packets do. See ../reach.sh."""
import argparse
import collections
import concurrent.futures
import contextlib
import fcntl
import ipaddress
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
SAVED = '/root/reach-groups.json'  # what the ports had before; there as long as something is to be put back
PID = '/run/reach-lab.pid'
NAME = 'reach-lab'  # every group made here is called so
TURN = 60  # seconds after which others who want the lab may have it
WHOLE = 200  # rule sets of a run that is written down
SSH = ['ssh', '-o', 'ControlMaster=auto', '-o', 'ControlPath=/run/reach-%h', '-o', 'ControlPersist=60', '-o', 'BatchMode=yes']


class Api:
    """Neutron's REST API, as the admin."""

    def __init__(self):
        e = os.environ
        user = {'name': e['OS_USERNAME'], 'password': e['OS_PASSWORD'], 'domain': {'name': e['OS_USER_DOMAIN_NAME']}}
        project = {'name': e['OS_PROJECT_NAME'], 'domain': {'name': e['OS_PROJECT_DOMAIN_NAME']}}
        auth = {'identity': {'methods': ['password'], 'password': {'user': user}}, 'scope': {'project': project}}
        request = urllib.request.Request(e['OS_AUTH_URL'] + '/auth/tokens', json.dumps({'auth': auth}).encode())
        request.add_header('Content-Type', 'application/json')
        with urllib.request.urlopen(request, timeout=30) as answer:
            self.token = answer.headers['X-Subject-Token']
            catalog = json.load(answer)['token']['catalog']
        network = next(s for s in catalog if s['type'] == 'network')
        self.url = next(x['url'] for x in network['endpoints'] if x['interface'] == 'public').rstrip('/') + '/v2.0'

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.url + path, None if body is None else json.dumps(body).encode(), method=method)
        request.add_header('X-Auth-Token', self.token)
        request.add_header('Content-Type', 'application/json')
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as e:
            if method == 'DELETE' and e.code == 404:
                return None
            raise RuntimeError(f'{method} {path}: {e.code} {e.read().decode()[:300]}') from e
        return json.loads(text) if text else None

    def list(self, what, query=''):
        return self.call('GET', f'/{what.replace("_", "-")}{query}')[what]


def end_run():
    """Ends a run that is still under way: it must not go on changing what is put back."""
    try:
        with open(PID) as f:
            pid = int(f.read())
        with open(f'/proc/{pid}/cmdline') as f:
            ours = 'reach/main.py' in f.read()
    except (OSError, ValueError):
        return
    if not ours:
        return
    os.kill(pid, signal.SIGTERM)
    for _ in range(300):
        if not os.path.exists(f'/proc/{pid}'):
            return
        time.sleep(0.2)
    os.kill(pid, signal.SIGKILL)


def own_groups(api):
    """Gives the ports their own groups back."""
    with open(SAVED) as f:
        for port, groups in json.load(f).items():
            api.call('PUT', f'/ports/{port}', {'port': {'security_groups': groups}})


def restore(api):
    """Gives the ports their own groups back, and takes away whatever was made here."""
    if os.path.exists(SAVED):
        own_groups(api)
    for group in api.list('security_groups', f'?name={NAME}'):
        api.call('DELETE', f'/security-groups/{group["id"]}')
    for group in api.list('address_groups', f'?name={NAME}'):
        api.call('DELETE', f'/address-groups/{group["id"]}')
    if os.path.exists(SAVED):
        os.remove(SAVED)


def agents_senders(port, near, _floating):
    """The namespaces of its DHCP server and router."""
    dhcp = next((q for q in near if q['device_owner'] == 'network:dhcp'), None)
    legs = [q for q in near if q['device_owner'] == 'network:router_interface']
    if dhcp is None or not legs:
        return {}
    return {
        'dhcp': {'host': dhcp['binding:host_id'], 'netns': 'qdhcp-' + port['network_id'], 'ports': [dhcp]},
        'router': {'host': legs[0]['binding:host_id'], 'netns': 'qrouter-' + legs[0]['device_id'], 'ports': legs},
    }


def ovn_senders(port, near, floating):
    """The metadata namespace on its own host, and this machine by its floating address."""
    found = {}
    meta = next((q for q in near if q['device_owner'] == 'network:distributed' and q['fixed_ips']), None)
    if meta is not None:
        found['metadata'] = {'host': port['binding:host_id'], 'netns': 'ovnmeta-' + port['network_id'], 'ports': [meta],
                             'named': meta['id']}
    if floating is not None:
        own = subprocess.run(['ip', '-j', 'route', 'get', floating], capture_output=True, text=True, check=True)
        here = json.loads(own.stdout)[0]['prefsrc']
        found['outside'] = {'host': None, 'netns': None, 'ports': [{'fixed_ips': [{'ip_address': here}]}], 'named': here, 'to': floating}
    return found


def places(api, variant, only):
    """Instances with where packets can be sent to them from; of those alone that are named, where any is."""
    ports = api.list('ports')
    named = [p for p in ports if p['device_id'] in only]
    floating = {f['port_id']: f['floating_ip_address'] for f in api.list('floatingips') if f['port_id']}
    found = []
    for p in named if only else ports:
        if not p['device_owner'].startswith('compute:') or p['status'] != 'ACTIVE':
            continue
        near = [q for q in ports if q['network_id'] == p['network_id']]
        senders = (ovn_senders if variant == 'ovn' else agents_senders)(p, near, floating.get(p['id']))
        families = sorted({ipaddress.ip_address(f['ip_address']).version for f in p['fixed_ips']})
        families = [v for v in families if any(address(s['ports'], v) for s in senders.values())]
        if families:
            found.append({'port': p, 'families': families, 'senders': senders})
    return found


def address(ports, family):
    return next((f['ip_address'] for p in ports for f in p['fixed_ips']
                 if ipaddress.ip_address(f['ip_address']).version == family), None)


def random_rule(rng, place, groups, direction):
    family = rng.choice(place['families'])
    protocol = rng.choice([None, 'tcp', 'tcp', 'tcp', 'udp', 'icmp', 'icmp', '6', '17', '0'])
    if protocol == 'icmp' and family == 6:
        protocol = rng.choice(['ipv6-icmp', 'icmpv6', '58', 'icmp'])
    rule = {'direction': direction, 'ethertype': f'IPv{family}', 'protocol': protocol}
    if protocol in ('tcp', 'udp', '6', '17') and rng.random() < 0.8:
        low, high = rng.choice([(22, 22), (80, 80), (1, 1024), (53, 53), (20, 60), (1024, 65535), (1, 65535), (443, 443)])
        rule |= {'port_range_min': low, 'port_range_max': high}
    elif protocol == 'icmp' and rng.random() < 0.5:
        rule |= {'port_range_min': rng.choice([8, 8, 0, 3])}
        if rng.random() < 0.4:
            rule |= {'port_range_max': rng.choice([0, 0, 1])}
    elif protocol in ('ipv6-icmp', 'icmpv6', '58') and rng.random() < 0.5:
        rule |= {'port_range_min': rng.choice([128, 128, 129, 1])}
    ends = [a for s in place['senders'].values() if (a := address(s['ports'], family))]
    kind = rng.random()
    if kind < 0.35:
        bits = rng.choice([8, 16, 24, 28, 30, 31, 32] if family == 4 else [16, 48, 64, 96, 127, 128])
        near = ipaddress.ip_address(rng.choice(ends))
        if rng.random() < 0.4:
            near = near + rng.choice([1, 2, 4, 9, 200]) if int(near) % 256 < 50 else near - 1
        rule |= {'remote_ip_prefix': str(ipaddress.ip_network(f'{near}/{bits}', strict=False))}
    elif kind < 0.5:
        rule |= {'remote_group_id': rng.choice(groups)}
    elif kind < 0.6 and place.get('address_group'):
        rule |= {'remote_address_group_id': place['address_group']}
    return rule


def same(rule):
    """What Neutron takes for the same rule."""
    spelled = {'6': 'tcp', '17': 'udp', '0': None, 'icmp': 'icmp4', 'icmpv6': 'icmp6', 'ipv6-icmp': 'icmp6', '58': 'icmp6'}
    protocol = spelled.get(rule['protocol'], rule['protocol'])
    if protocol == 'icmp4' and rule['ethertype'] == 'IPv6':
        protocol = 'icmp6'
    rest = ('direction', 'ethertype', 'port_range_min', 'port_range_max', 'remote_ip_prefix', 'remote_group_id', 'remote_address_group_id')
    return (protocol, *(rule.get(k) for k in rest))


def make_groups(api, rng, place, marker):
    """One or two groups with random rules, and a rule that tells when the host has them all."""
    stateful = rng.random() > 0.2
    project = place['port']['project_id']
    made = []
    for _ in range(rng.choice([1, 1, 2])):
        body = {'name': NAME, 'project_id': project, 'stateful': stateful}
        made.append(api.call('POST', '/security-groups', {'security_group': body})['security_group'])
    ids = [g['id'] for g in made]
    wanted = []
    for n, group in enumerate(made):
        bare = rng.random() < (0.3 if stateful else 0.6)
        if bare:
            for rule in group['security_group_rules']:
                api.call('DELETE', f'/security-group-rules/{rule["id"]}')
        rules = [random_rule(rng, place, ids, 'ingress') for _ in range(rng.choice([0, 1, 1, 2, 2, 3, 4]))]
        rules += [random_rule(rng, place, ids, 'egress') for _ in range(rng.choice([0, 0, 1, 2]))]
        if n == 0:
            for family in (4, 6):
                nobody = '192.0.2.1/32' if family == 4 else '2001:db8::1/128'
                rules.append({'direction': 'ingress', 'ethertype': f'IPv{family}', 'protocol': 'tcp', 'port_range_min': marker,
                              'port_range_max': marker, 'remote_ip_prefix': nobody})
        seen = set() if bare else {same(r) for r in group['security_group_rules']}
        for rule in rules:
            if same(rule) not in seen:
                seen.add(same(rule))
                wanted.append({**rule, 'security_group_id': group['id'], 'project_id': project})
    try:
        api.call('POST', '/security-group-rules', {'security_group_rules': wanted})
    except RuntimeError:  # one of them exists already under another spelling: then each by itself
        for rule in wanted:
            try:
                api.call('POST', '/security-group-rules', {'security_group_rule': rule})
            except RuntimeError as e:
                if ' 409 ' not in str(e):
                    raise
    return {'ids': ids, 'stateful': stateful, 'marker': marker}


def wait_applied(host, variant, markers, there=True, seconds=45):
    """Until every marker is in the rules of the host, or none is; where they are flows until these have stood still, too."""
    if variant in ('ovsfw', 'ovn'):
        dump = 'ovs-ofctl dump-flows br-int'
        has = ' && '.join(f"{'' if there else '! '}grep -qE 'tp_dst=({m}|{hex(m)})[ ,]' /run/reach-dump" for m in markers)
        still = 'sleep 0.7; ovs-ofctl dump-flows br-int | wc -l > /run/reach-b; wc -l < /run/reach-dump | cmp -s - /run/reach-b'
    else:
        dump = '{ iptables-save; ip6tables-save; }'
        count = '-ge 2' if there else '-eq 0'
        has = ' && '.join(f'[ $(grep -c -- "--dport {m} " /run/reach-dump) {count} ]' for m in markers)
        still = ':'
    script = (f'end=$(($(date +%s)+{seconds})); while [ $(date +%s) -lt $end ]; do {dump} > /run/reach-dump 2>/dev/null; '
              f'if {has}; then {still} && exit 0; fi; sleep 0.2; done; exit 1')
    if subprocess.run([*SSH, f'root@{host}', script], capture_output=True).returncode != 0:
        raise RuntimeError(f'{host} {"does not have the rules" if there else "still has the rules"} after {seconds} s')


def choose_probes(rng, stateful):
    """Of a stateless port only answers from the port that was asked are judged: "port unreachable" would need a rule of its own."""
    tcp = [f'tcp/{p}' for p in (22, 80, 443, 53, 2000, 30)]
    udp = [f'udp/{p}' for p in (53, 22, 500, 2000)] if stateful else []
    return ['icmp', *rng.sample(tcp, 2), *rng.sample(udp, min(1, len(udp)))]


def ask_doctor(doctor, job):
    sender = job['place']['senders'][job['sender']].get('named', job['sender'])
    argv = [*shlex.split(doctor), 'reach', sender, job['place']['port']['id'], '--family', str(job['family']),
            '--source-port', str(job['sourcePort']), '--output', 'json', '--probe', *job['probes']]
    for _ in range(3):
        ran = subprocess.run(argv, capture_output=True, text=True)
        if ran.stdout:
            return json.loads(ran.stdout)['answers']
        # A cloud that is too busy to answer is asked again; it says nothing about the doctor.
        print(f'{shlex.join(argv)}: {ran.returncode} {ran.stderr[:300]}', file=sys.stderr)
    raise RuntimeError('the doctor cannot ask the cloud')


def send(host, netns, probes):
    with open(os.path.join(HERE, 'prober.py')) as f:
        program = f.read()
    inside = ['python3', '-c', program]
    argv = inside if host is None else [*SSH, f'root@{host}', shlex.join(['ip', 'netns', 'exec', netns, *inside])]
    ran = subprocess.run(argv, input=json.dumps(probes), capture_output=True, text=True)
    if ran.returncode != 0:
        raise RuntimeError(f'prober in {netns or "no namespace"}: {ran.stderr[-400:]}')
    return json.loads(ran.stdout)


def packet(answer, job):
    protocol, _, port = answer['probe'].partition('/')
    # Only answers of stateless groups hang on the sender's port; elsewhere each connection gets one of its own.
    own = {} if job['groups']['stateful'] or protocol != 'tcp' else {'sourcePort': job['sourcePort']}
    to = job['place']['senders'][job['sender']].get('to', answer['to']['address'])
    return {'protocol': protocol, 'source': answer['from']['address'], 'to': to, 'family': job['family'],
            **({'port': int(port)} if port else {}), **own}


def describe(rule):
    fields = ('direction', 'ethertype', 'protocol', 'port_range_min', 'port_range_max', 'remote_ip_prefix', 'remote_group_id',
              'remote_address_group_id')
    return ' '.join(f'{k}={rule[k]}' for k in fields if rule.get(k) is not None)


def clock(what, since):
    print(f'  {time.monotonic() - since:6.1f} s {what}', file=sys.stderr)
    return time.monotonic()


def batch(api, rng, args, turns, there, serial, tally, wrong):
    jobs = []
    now = time.monotonic()

    def prepare(numbered):
        number, place = numbered
        # Each set from a seed of its own: how fast the API is does not change what is tried.
        groups = make_groups(api, random.Random(f'{args.seed} {number}'), place, 40_000 + number % 20_000)
        api.call('PUT', f'/ports/{place["port"]["id"]}', {'port': {'security_groups': groups['ids']}})
        return groups

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        prepared = list(pool.map(prepare, enumerate(there, serial + 1)))
    for place, groups in zip(there, prepared):
        family = rng.choice(place['families'])
        sender = rng.choice([n for n, s in place['senders'].items() if address(s['ports'], family)])
        jobs.append({'place': place, 'groups': groups, 'family': family, 'sender': sender, 'sourcePort': rng.randint(33_000, 60_000),
                     'probes': choose_probes(rng, groups['stateful'])})
    now = clock('to make the groups', now)
    by_host = collections.defaultdict(list)
    for job in jobs:
        by_host[job['place']['port']['binding:host_id']].append(job['groups']['marker'])
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        waits = [pool.submit(wait_applied, host, args.variant, markers) for host, markers in by_host.items()]
        answers = list(pool.map(lambda job: ask_doctor(args.doctor, job), jobs))
        now = clock('to ask the doctor', now)
        for w, (host, markers) in zip(waits, by_host.items()):
            try:
                w.result()
            except RuntimeError:
                with turns.quiet():
                    wait_applied(host, args.variant, markers)
        now = clock('more until the hosts have the rules', now)
        by_sender = collections.defaultdict(list)
        for job, said in zip(jobs, answers):
            s = job['place']['senders'][job['sender']]
            by_sender[s['host'], s['netns']] += [(job, a) for a in said]
        sent = {key: pool.submit(send, *key, [packet(a, j) for j, a in pairs]) for key, pairs in by_sender.items()}
        for key, pairs in by_sender.items():
            results = sent[key].result()
            # A packet that is lost on the way proves nothing: who contradicts the doctor is asked once more.
            again = [i for i, ((_, a), got) in enumerate(zip(pairs, results)) if got != (a['verdict'] == 'reachable')]
            if again:
                with turns.quiet():
                    for i, got in zip(again, send(*key, [packet(pairs[i][1], pairs[i][0]) for i in again])):
                        results[i] = got
            for (job, a), got in zip(pairs, results):
                if got is None:
                    print(f'not sent: {packet(a, job)}', file=sys.stderr)
                    continue
                said = {'reachable': True, 'unreachable': False}.get(a['verdict'])
                verdict = 'not known' if said is None else 'agree' if said == got else 'DISAGREE'
                state = 'stateful' if job['groups']['stateful'] else 'stateless'
                tally[job['sender'], f'IPv{job["family"]}', a['probe'].split('/')[0], state, got][verdict] += 1
                if verdict == 'DISAGREE':
                    rules = [r for g in job['groups']['ids'] for r in api.call('GET', f'/security-groups/{g}')['security_group']['security_group_rules']]
                    wrong.append(f'{packet(a, job)}\n  doctor: {a["sentence"]}\n  packets: {"answered" if got else "not answered"}\n'
                                 + ''.join(f'    {describe(r)}\n' for r in rules))
    clock('to send the packets', now)
    return [g for job in jobs for g in job['groups']['ids']], by_host


class Turns:
    """
    The lock of those who change the same lab, as an open file of the caller's: held while the ports have groups that are not theirs. Of
    instances that are nobody else's it is held only while others must not break the lab: to ask again what came out wrong.
    """

    def __init__(self, fd, own):
        self.fd = fd
        self.own = own
        self.since = 0.0

    def take(self):
        if self.fd is not None and not self.own:
            fcntl.flock(self.fd, fcntl.LOCK_EX)
            self.since = time.monotonic()

    @contextlib.contextmanager
    def quiet(self):
        if self.fd is None or not self.own:
            yield
            return
        fcntl.flock(self.fd, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self.fd, fcntl.LOCK_UN)

    def is_over(self):
        return self.fd is not None and not self.own and time.monotonic() - self.since > TURN

    def give(self):
        fcntl.flock(self.fd, fcntl.LOCK_UN)
        time.sleep(0.5)


def table(tally):
    lines = [f'{"from":10}{"family":8}{"packet":8}{"groups":11}{"packets":14}{"agree":>7}{"disagree":>10}{"not known":>11}']
    total = collections.Counter()
    for (sender, family, protocol, state, got), counts in sorted(tally.items()):
        total.update(counts)
        lines.append(f'{sender:10}{family:8}{protocol:8}{state:11}{"answered" if got else "not answered":14}'
                     f'{counts["agree"]:7}{counts["DISAGREE"]:10}{counts["not known"]:11}')
    lines.append(f'{"all":51}{total["agree"]:7}{total["DISAGREE"]:10}{total["not known"]:11}')
    return '\n'.join(lines)


INTRO = """# Whether packets do what `reach` computes

Written by `test/lab/reach.sh` (see README.md), one section per variant: random security groups on the instances' ports, the doctor's answer from the APIs alone, and the same packets
from the DHCP or router namespace (ovn: from the metadata namespace, and from the operator's machine by the floating address). A packet counts as answered by what only the instance can have sent: an echo reply, a SYN-ACK or RST, "port unreachable".
"""


def write_down(page, variant, text):
    """The page with this variant's section in place of its last one."""
    sections = {}
    if os.path.exists(page):
        with open(page) as f:
            for section in f.read().split('\n## ')[1:]:
                sections[section.split('\n', 1)[0]] = section.rstrip() + '\n'
    sections[variant] = f'{variant}\n\n{text}'
    with open(page, 'w') as f:
        f.write(INTRO + ''.join(f'\n## {sections[v]}' for v in ('lb', 'ovs', 'ovsfw', 'ovn') if v in sections))


def run(api, args, turns):
    restore(api)
    there = places(api, args.variant, set(args.only.split()))
    if not there:
        sys.exit('no instance that packets could be sent to')
    with open(SAVED + '.new', 'w') as f:
        json.dump({p['port']['id']: p['port']['security_groups'] for p in there}, f)
    os.rename(SAVED + '.new', SAVED)
    for place in there:
        ends = [a for s in place['senders'].values() for f in place['families'] if (a := address(s['ports'], f))]
        body = {'name': NAME, 'project_id': place['port']['project_id'],
                'addresses': [f'{a}/{ipaddress.ip_address(a).max_prefixlen}' for a in ends[::2]]}
        try:
            place['address_group'] = api.call('POST', '/address-groups', {'address_group': body})['address_group']['id']
        except RuntimeError:
            pass  # a cloud without address groups
    rng = random.Random(args.seed)
    tally, wrong, old, serial, started = collections.defaultdict(collections.Counter), [], [], 0, time.monotonic()
    try:
        while serial < args.rounds:
            now = there[:args.rounds - serial]
            made, markers = batch(api, rng, args, turns, now, serial, tally, wrong)
            serial += len(now)
            print(f'{serial} rule sets after {time.monotonic() - started:.0f} s', file=sys.stderr)
            if len(now) < len(there):
                break  # the ports that had no turn hold the groups of the one before: restore takes all away
            if turns.is_over() and serial < args.rounds:
                own_groups(api)
                old += made
                made = []
                for host, numbers in markers.items():
                    wait_applied(host, args.variant, numbers, there=False)
            for group in old:
                api.call('DELETE', f'/security-groups/{group}')
            old = made
            if not made:
                turns.give()
                turns.take()
    except SystemExit:
        print(f'cut off after {serial} rule sets\n\n{table(tally)}')
        raise
    about = (f'{serial} random rule sets on {len(there)} instances, variant {args.variant}, seed {args.seed}, commit {args.commit}, '
             f'{time.monotonic() - started:.0f} s')
    counts = table(tally)
    print(f'{about}\n\n{counts}')
    for text in wrong:
        print('\n' + text, end='')
    if args.page and serial >= WHOLE:
        write_down(args.page, args.variant, f'{time.strftime("%Y-%m-%d")}, {about}.\n\n```\n{counts}\n```\n')
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('what', choices=['run', 'restore'])
    parser.add_argument('--variant')
    parser.add_argument('--doctor')
    parser.add_argument('--rounds', type=int, default=200)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--commit', default='?', help='of the doctor')
    parser.add_argument('--page', help='where the figures of a whole run are written down')
    parser.add_argument('--only', default='', help='ids of instances that nobody else uses: asked about in place of all others')
    parser.add_argument('--lock', type=int, help='the number of an open file: locked while the lab is changed')
    args = parser.parse_args()
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda number, _: sys.exit(128 + number))
    api = Api()
    end_run()
    if args.what == 'restore':
        restore(api)
        return 0
    with open(PID, 'w') as f:
        f.write(str(os.getpid()))
    turns = Turns(args.lock, bool(args.only))
    turns.take()
    try:
        return run(api, args, turns)
    finally:
        restore(api)
        os.remove(PID)


sys.exit(main())
