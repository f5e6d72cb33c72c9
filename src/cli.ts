import { Command, CommanderError, Option } from 'commander';
import { backendNames } from './engine/backend-name.ts';
import { UserError } from './engine/error.ts';
import { symptoms, symptomTitles } from './engine/symptom.ts';
import { Interrupted } from './ui/prompts.ts';
import { safeLine } from './ui/safe-text.ts';
import { terminalOf } from './ui/terminal.ts';
import { createTheme } from './ui/theme.ts';
import { exitCodeOf, renderError } from './ui/user-error.ts';
import { version } from './version.ts';

/** What the launcher gives the commands. */
export interface Surroundings {
  readonly signal: AbortSignal;
}

/** Every verb is a part of the net playbook; the verbs are what an operator types when he knows where to look. */
const verbs: readonly {
  readonly name: string;
  readonly argument?: string;
  readonly steps: readonly string[];
  readonly about: string;
}[] = [
  { name: 'agents', steps: ['cloud', 'agents'], about: 'agents of the whole cloud: do they report' },
  { name: 'logs', argument: '<vm>', steps: ['logs'], about: 'error lines about an instance in the logs of its path' },
  {
    name: 'port',
    argument: '<vm|port>',
    steps: ['port', 'agents'],
    about: 'binding, state and addresses of its ports',
  },
  {
    name: 'console',
    argument: '<vm>',
    steps: ['instance', 'console'],
    about: 'boot, lease and metadata as its console tells',
  },
  {
    name: 'secgroup',
    argument: '<vm|port>',
    steps: ['secgroup', 'enforced'],
    about: 'what its security groups let through, and whether its host has the rules',
  },
  {
    name: 'host',
    argument: '<vm|port>',
    steps: ['instance', 'enforced', 'host'],
    about: 'domain, devices, tunnels and rules on its host',
  },
  { name: 'dhcp', argument: '<vm|port>', steps: ['dhcp'], about: 'DHCP server, its namespace and its entry' },
  { name: 'metadata', argument: '<vm|port>', steps: ['metadata'], about: 'metadata: proxy, agent, Nova, secret' },
  { name: 'router', argument: '<vm|port>', steps: ['router'], about: 'router, routes, address translation' },
  {
    name: 'ping',
    argument: '<vm|port>',
    steps: ['host', 'ping', 'path'],
    about: 'pings from its namespaces, and what takes those that are lost',
  },
  { name: 'mtu', argument: '<vm|port>', steps: ['mtu'], about: 'MTU budget, and proof by full-size packets' },
];

const examples = `
Examples:
  ostk-doctor net web-1                       why can web-1 not talk
  ostk-doctor net 198.19.0.182 -v             by any address, with all evidence
  ostk-doctor net web-1 --from 10.0.0.200     as seen by that client
  ostk-doctor net web-1 --to db-1             why not that one peer: an instance, a port, an address
  ostk-doctor net web-1 --symptom no-lease    only what has to do with that complaint
  ostk-doctor secgroup web-1 --probe tcp/443  one part of the walk
  ostk-doctor demo                            on an embedded cloud: no OpenStack needed
`;

const cloudOptions = (command: Command): Command =>
  command
    .addOption(new Option('--os-cloud <name>', 'cloud of clouds.yaml').env('OS_CLOUD'))
    .option('--os-region-name <name>', 'region')
    .addOption(new Option('--os-interface <name>', 'endpoint interface').choices(['public', 'internal', 'admin']))
    .option('--config <file>', 'configuration file instead of ostk-doctor.yaml');

/** How the cloud and its nodes are reached, and what is kept of a run. */
const wayOptions = (command: Command): Command =>
  cloudOptions(command)
    .addOption(
      new Option('--backend <name>', 'what plugs the ports, where it is told wrongly (default: found)').choices(
        backendNames,
      ),
    )
    .option('--user <name>', 'user on the nodes')
    .addOption(new Option('--ssh <backend>', 'how nodes are reached').choices(['auto', 'ssh2', 'openssh']))
    .option('--accept-new-host-keys', 'add unknown host keys to known_hosts; changed ones are always refused')
    .option('--record <file>', 'write the run as a bundle')
    .addOption(
      new Option('--fail-on <severity>', 'exit 1 at or above')
        .choices(['error', 'warning', 'info', 'never'])
        .default('error'),
    );

const runOptions = (command: Command): Command =>
  wayOptions(
    command
      .option('--probe <what...>', 'traffic to judge: icmp, tcp/PORT, udp/PORT (default: icmp and tcp/22)')
      .option('--from <address>', 'where the client is: an address or a CIDR')
      .option('--since <time>', 'age limit of log lines: 90s, 30m, 2h', '1h')
      .option('--no-probe-packets', 'send nothing: no ping, no request, only reading'),
  );

const traceWords = `
One end is an instance, a port or one of its addresses; the other too, or:
  router    its router's namespace           dhcp      the DHCP server's namespace
  gateway   the gateway of its subnet        metadata  whoever answers 169.254.169.254 for it
  outside   beyond its router, and back by its floating address
Guests are never told to send: probes start in Neutron's namespaces, and the guest's own way out is seen on its answers.

Examples:
  ostk-doctor trace router web-1                  from its router to web-1 and back
  ostk-doctor trace web-1 db-1 --probe tcp/5432   both ends of that connection
  ostk-doctor trace outside web-1                 from here to its floating address, through the translation
  ostk-doctor trace web-1 dhcp --probe dhcp       is its lease offered, and does the offer reach it
`;

const reachWords = `
Ends are instances, ports or addresses; one of them may be what the other one sees as:
  router    its router                       dhcp      its DHCP server
  gateway   the gateway of its subnet        metadata  169.254.169.254
  outside   anywhere beyond the external networks
Exit code: 0 reachable, 1 not, 3 not known.

Examples:
  ostk-doctor reach web-1 db-1 --probe tcp/5432
  ostk-doctor reach outside web-1 --probe tcp/443      through its floating address
  ostk-doctor reach --who-can web-1 tcp/22             who may connect, by which rule
  ostk-doctor reach router web-1 --bundle run.tgz      from a recorded run
`;

const scheduleWords = `
Of an instance the options stand for what the API does not tell of its request (hints), or for what it is to ask instead.
Exit code: 0 a host could take it, 1 none could, 3 cannot be told.

Examples:
  ostk-doctor schedule huge-1                                      why has huge-1 no host
  ostk-doctor schedule --flavor m1.large --image cirros --az az1   would it get one, before anybody boots it
  ostk-doctor schedule --flavor m1.small --hint group=5f2c --count 4
  ostk-doctor schedule huge-1 --flavor m1.large                    and with another flavor
`;

const outputOptions = (command: Command): Command =>
  reportOptions(command, ['human', 'json', 'ndjson', 'junit', 'markdown', 'nagios']);

const reportOptions = (command: Command, formats: readonly string[]): Command =>
  command
    .addOption(new Option('-o, --output <format>', 'what stdout gets').choices(formats).default('human'))
    .option(
      '-v, --verbose',
      'evidence of everything; twice: every command and request',
      (_: string, n: number) => n + 1,
      0,
    )
    .addOption(new Option('--color <when>', 'colour').choices(['always', 'auto', 'never']).default('auto'))
    .option('--ascii', 'no symbols beyond ASCII')
    .option('--no-input', 'never ask anything')
    .option('--debug', 'stack traces of internal errors');

/** The command tree; bodies are loaded when they are run, so that help and version cost nothing. */
function program(surroundings: Surroundings, exit: (code: number) => void): Command {
  const root = new Command('ostk-doctor')
    .description(
      'Why can this instance not talk, and what do I type to mend it? Reads and probes; never changes a cloud.',
    )
    .version(version(), '-V, --version')
    .addHelpText('after', examples)
    .showSuggestionAfterError()
    .exitOverride()
    .enablePositionalOptions();
  const walked = (
    name: string,
    argument: string | undefined,
    about: string,
    steps: readonly string[] | undefined,
  ): Command => {
    const command = root.command(argument === undefined ? name : `${name} ${argument}`).description(about);
    outputOptions(runOptions(command)).action(async (...args: unknown[]) => {
      const { runWalk } = await import('./commands/walk.ts');
      const target = argument === undefined ? undefined : String(args[0]);
      exit(
        await runWalk(
          { verb: name, target, steps, allowPort: argument?.includes('port') === true, options: command.opts() },
          surroundings,
        ),
      );
    });
    return command;
  };
  walked('net', '<vm|port>', 'diagnose why an instance cannot talk: the whole walk', undefined)
    .option('--symptom <what>', 'what is complained of (see below): narrows the walk')
    .option('--to <peer>', 'the one peer that cannot be reached: an instance, a port or an address')
    .addHelpText('after', `\nSymptoms:\n${symptoms.map((s) => `  ${s.padEnd(15)}${symptomTitles[s]}`).join('\n')}\n`);
  for (const verb of verbs) walked(verb.name, verb.argument, verb.about, verb.steps);
  const trace = root
    .command('trace <from> <to>')
    .description('follow packets through every hop, live, and say where they end')
    .option('--probe <what>', 'icmp, arp, tcp/PORT, udp/PORT, dhcp or metadata', 'icmp')
    .option('--count <n>', 'packets per stretch (5; connections 3)')
    .option('--size <bytes>', 'size of the IP packet of a ping')
    .option('--both-ways', 'from every namespace at either end, not from the nearest alone')
    .option('--inject', 'also put packets in at the port of the instance, in its name (Open vSwitch only)')
    .option(
      '--keep-captures <folder>',
      'keep whole packets of every point as pcap files (else headers only, and not kept)',
    )
    .option('--svg <file>', 'draw the trace into a picture')
    .addHelpText('after', traceWords);
  outputOptions(wayOptions(trace)).action(async (from: string, to: string) => {
    const [{ traceCommand }, { runWalk }] = await Promise.all([
      import('./commands/trace.ts'),
      import('./commands/walk.ts'),
    ]);
    exit(await runWalk(traceCommand(from, to, trace.opts()), surroundings));
  });
  const each = (value: string, earlier: readonly string[] = []): string[] => [...earlier, value];
  const schedule = root
    .command('schedule [vm]')
    .usage('[options] <vm> | --flavor <flavor>')
    .description("why no host takes an instance: every host against every step of Nova's scheduling")
    .option('--flavor <flavor>', 'flavor, by name or id')
    .option('--image <image>', 'image, by name or id')
    .option('--network <network>', 'network, by name or id; once for each', each)
    .option('--az <zone>', 'availability zone: zone, zone:host or zone:host:node')
    .option('--hint <name=value>', 'scheduler hint (group, same_host, different_host ...); once for each', each)
    .option('--host <host>', 'the host that is asked for; filters still run')
    .option('--count <n>', 'how many instances at once (1)')
    .addHelpText('after', scheduleWords);
  outputOptions(wayOptions(schedule)).action(async (vm: string | undefined) => {
    const [{ scheduleCommand }, { runWalk }] = await Promise.all([
      import('./commands/schedule.ts'),
      import('./commands/walk.ts'),
    ]);
    exit(await runWalk(scheduleCommand(vm, schedule.opts()), surroundings));
  });
  const reach = root
    .command('reach [words...]')
    .usage('[options] <from> <to> | --who-can <vm|port> [probe...]')
    .description('whether packets get there and back, computed from the API alone; nothing is sent')
    .option('--who-can <vm|port>', 'which sources would be let in there, and by which rule')
    .option('--probe <what...>', 'icmp, tcp/PORT, udp/PORT (default: icmp; metadata: tcp/80, dhcp: udp/67)')
    .option('--size <bytes>', 'size of the IP packet, which may not be fragmented')
    .option('--source-port <port>', "the sender's own port: only stateless groups ask for it")
    .addOption(new Option('--family <n>', 'IPv4 or IPv6 (default: IPv4 where both ends have it)').choices(['4', '6']))
    .option('--bundle <file>', 'ask a recorded run instead of the cloud')
    .addHelpText('after', reachWords);
  reportOptions(cloudOptions(reach), ['human', 'json']).action(async (words: string[]) => {
    const { runReach } = await import('./commands/reach.ts');
    exit(await runReach(words, reach.opts(), surroundings));
  });
  const replay = root
    .command('replay [file]')
    .description('the same report again from a recorded run')
    .option('--last', 'the newest run of this machine')
    .option('--svg <file>', 'draw its traces into a picture');
  outputOptions(replay).action(async (file: string | undefined) => {
    const { runReplay } = await import('./commands/replay.ts');
    exit(await runReplay(file, replay.opts()));
  });
  const demo = root
    .command('demo [scenario]')
    .description('diagnose an embedded cloud over real HTTP and SSH on loopback')
    .option('--list', 'the scenarios')
    .option('--serve', 'keep the cloud up, and print how to reach it');
  outputOptions(demo).action(async (scenario: string | undefined) => {
    const { runDemo } = await import('./commands/demo.ts');
    exit(await runDemo(scenario, demo.opts(), surroundings));
  });
  const explain = root.command('explain <code>').description('what a code means, how it is told, how it is mended');
  outputOptions(explain).action(async (code: string) => {
    const { runExplain } = await import('./commands/explain.ts');
    exit(runExplain(code, explain.opts()));
  });
  const checks = root.command('checks').description('every check and every code');
  outputOptions(checks).action(async () => {
    const { runChecks } = await import('./commands/checks.ts');
    exit(runChecks(checks.opts()));
  });
  return root;
}

const forMonitoring = (argv: readonly string[]): boolean =>
  argv.includes('--output=nagios') ||
  argv.some((word, i) => word === 'nagios' && /^(-o|--output)$/.test(argv[i - 1] ?? ''));

/** Monitoring reads one line of stdout and takes 2 for CRITICAL: a doctor that could not look is UNKNOWN, 3. */
function unknownForMonitoring(error: unknown): number {
  const [what = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  process.stdout.write(`OSTK UNKNOWN - ${safeLine(what)}\n`);
  return 3;
}

/** Runs one command line (without node and script) and gives the exit code; never throws. */
export async function main(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  let code = 0;
  try {
    await program(surroundings, (c) => {
      code = c;
    }).parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const terminal = terminalOf({
      isTTY: process.stderr.isTTY === true,
      columns: process.stderr.columns,
      env: process.env,
    });
    const debug = argv.includes('--debug');
    // What fails because it was cut off is no error of its own.
    const cutOff = surroundings.signal.aborted && error instanceof UserError;
    const shown = cutOff ? new Interrupted() : error;
    process.stderr.write(renderError(shown, { theme: createTheme(terminal), debug }));
    return forMonitoring(argv) ? unknownForMonitoring(shown) : exitCodeOf(shown);
  }
}
