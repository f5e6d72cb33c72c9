"""Sends the packets that are on stdin as JSON, from the namespace it runs in, and says which were answered.

An answer is anything that only the instance can have sent: an echo reply, a SYN-ACK or a RST, a datagram or "port unreachable".
"""
import concurrent.futures
import errno
import json
import socket
import subprocess
import sys
import time


def ping(p):
    argv = ['ping', '-c', '2', '-i', '0.3', '-W', '1', '-I', p['source'], p['to']]
    code = subprocess.run(argv, capture_output=True).returncode
    return None if code == 2 else code == 0  # ping(8): 2 is another error than no answer, as of an address that is not there


def bound(p, kind):
    s = socket.socket(socket.AF_INET6 if p['family'] == 6 else socket.AF_INET, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((p['source'], p.get('sourcePort') or 0))
    return s


def tcp(p):
    with bound(p, socket.SOCK_STREAM) as s:
        s.settimeout(2.5)  # the second SYN goes out after one second
        # Closed by a RST: the next connection may have the same ports at once.
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
        try:
            s.connect((p['to'], p['port']))
            return True
        except ConnectionRefusedError:
            return True
        except (TimeoutError, socket.timeout):
            return False
        except OSError as e:
            if e.errno in (errno.EHOSTUNREACH, errno.ETIMEDOUT):
                return False
            raise


def udp(p):
    with bound(p, socket.SOCK_DGRAM) as s:
        s.connect((p['to'], p['port']))
        s.settimeout(0.5)
        end = time.monotonic() + 3.2  # a guest answers one datagram a second at most (icmp_ratelimit)
        while time.monotonic() < end:
            try:
                s.send(b'reach')
                s.recv(100)
                return True
            except ConnectionRefusedError:
                return True
            except (TimeoutError, socket.timeout):
                pass
            except OSError as e:
                if e.errno != errno.EHOSTUNREACH:
                    raise
        return False


def sent(p):
    """None where it could not be sent: the address has gone."""
    try:
        return {'icmp': ping, 'tcp': tcp, 'udp': udp}[p['protocol']](p)
    except OSError as e:
        if e.errno == errno.EADDRNOTAVAIL:
            return None
        raise


probes = json.load(sys.stdin)
with concurrent.futures.ThreadPoolExecutor(32) as pool:
    json.dump(list(pool.map(sent, probes)), sys.stdout)
