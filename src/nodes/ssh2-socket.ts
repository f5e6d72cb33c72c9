import { createConnection, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { err, ok, type Result } from '../engine/result.ts';
import { unreachable } from './exchange.ts';
import type { NodeFailure } from './nodes.ts';
import type { SshTarget } from './ssh-target.ts';

/** As the operator would try the same by hand. */
export const byHand = (target: SshTarget): string =>
  `ssh ${target.port === 22 ? '' : `-p ${target.port} `}${target.jump.length > 0 ? `-J ${target.jump.join(',')} ` : ''}${target.user}@${target.alias}`;

function socketFailure(host: string, target: SshTarget, error: Error): NodeFailure {
  const first = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  const code = 'code' in first && typeof first.code === 'string' ? first.code : '';
  const place = `${target.hostname}:${target.port}`;
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_NODATA':
      return unreachable(
        host,
        'name',
        `the name ${target.hostname} has no address here`,
        `give its address: hosts: {${host}: {address: …}} in ostk-doctor.yaml, or a Host block in ~/.ssh/config`,
      );
    case 'ECONNREFUSED':
      return unreachable(host, 'tcp', `${place} refuses the connection`, `on ${host}: systemctl status ssh sshd`);
    case 'ETIMEDOUT':
      return unreachable(
        host,
        'tcp',
        `${place} does not answer in ${target.connectTimeoutSeconds} s`,
        `check that this machine may reach ${place}, or name a jump host: ssh: {jump: …}`,
      );
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ENETDOWN':
      return unreachable(host, 'tcp', `no route to ${place} (${code})`, `ip route get ${target.hostname}`);
    default:
      return unreachable(host, 'tcp', `${place}: ${first.message}`, byHand(target));
  }
}

/** A TCP connection to the target's own address. */
export function openSocket(host: string, target: SshTarget): Promise<Result<Socket, NodeFailure>> {
  return new Promise((resolve) => {
    const socket = createConnection({
      host: target.hostname,
      port: target.port,
      noDelay: true,
      ...(target.family === 0 ? {} : { family: target.family }),
    });
    const timer = setTimeout(() => {
      socket.destroy();
      resolve(err(socketFailure(host, target, Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' }))));
    }, target.connectTimeoutSeconds * 1000);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve(ok(socket));
    });
    socket.once('error', (error) => {
      clearTimeout(timer);
      resolve(err(socketFailure(host, target, error)));
    });
  });
}

/** A TCP connection that the jump host makes for us. */
export function openForward(
  host: string,
  target: SshTarget,
  jump: Client,
  hop: string,
): Promise<Result<Duplex, NodeFailure>> {
  return new Promise((resolve) => {
    const timer = setTimeout(
      () =>
        resolve(
          err(
            unreachable(
              host,
              'tcp',
              `${hop} gets no answer from ${target.hostname}:${target.port}`,
              `ssh ${hop} nc -vz ${target.hostname} ${target.port}`,
            ),
          ),
        ),
      target.connectTimeoutSeconds * 1000,
    );
    const refused = (error: Error) => {
      clearTimeout(timer);
      // RFC 4254, 5.1: 1 is "administratively prohibited".
      const forbidden = 'reason' in error && error.reason === 1;
      resolve(
        err(
          forbidden
            ? unreachable(
                host,
                'jump',
                `${hop} does not forward TCP connections`,
                `on ${hop}: AllowTcpForwarding yes in sshd_config`,
              )
            : unreachable(
                host,
                /name resolution|not known|no address/i.test(error.message) ? 'name' : 'tcp',
                `from ${hop}: ${error.message.replace('(SSH) Channel open failure: ', '')}`,
                `ssh ${hop} nc -vz ${target.hostname} ${target.port}`,
              ),
        ),
      );
    };
    try {
      jump.forwardOut('127.0.0.1', 0, target.hostname, target.port, (error, stream) => {
        if (error) return refused(error);
        clearTimeout(timer);
        resolve(ok(stream));
      });
    } catch (error) {
      refused(error instanceof Error ? error : new Error(String(error)));
    }
  });
}
