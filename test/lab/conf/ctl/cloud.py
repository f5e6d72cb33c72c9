#!/usr/bin/python3
"""What the lab's cloud holds, made through its own APIs. Every step finds before it makes, so that a step that was cut off can run
again. cloud.py keystone|images|net|servers|other; the admin's environment (openrc) must be set. One process per step, for the openstack
client takes 2 s to start."""
import os
import sys
import time

import openstack
from openstack import exceptions

PASSWORD = os.environ["OS_PASSWORD"]


def connect(user="admin", project="admin"):
    return openstack.connection.Connection(
        region_name=os.environ["OS_REGION_NAME"], compute_api_version="2.79", identity_api_version="3",
        auth={"auth_url": os.environ["OS_AUTH_URL"], "username": user, "project_name": project, "password": PASSWORD,
              "user_domain_name": "Default", "project_domain_name": "Default"})


def keystone():
    ident = connect().identity
    projects = {n: ident.find_project(n, domain_id="default") or ident.create_project(name=n, domain_id="default") for n in ("admin", "service", "demo")}
    roles = {r.name: r for r in ident.roles()}
    services = {s.type: s for s in ident.services()}
    endpoints = {(e.service_id, e.interface) for e in ident.endpoints()}

    def user(name, project, *names):
        u = ident.find_user(name, domain_id="default") or ident.create_user(name=name, password=PASSWORD, domain_id="default", default_project_id=projects[project].id)
        for r in names:
            if r in roles:
                ident.assign_project_role_to_user(projects[project], u, roles[r])

    user("demo", "demo", "member", "reader")
    user("admin", "demo", "admin")
    for name, kind, url in (("glance", "image", "http://ctl:9292"), ("placement", "placement", "http://ctl:8778"),
                            ("nova", "compute", "http://ctl:8774/v2.1"), ("neutron", "network", "http://ctl:9696")):
        user(name, "service", "admin", "service")
        s = services.get(kind) or ident.create_service(name=name, type=kind)
        for interface in ("public", "internal", "admin"):
            if (s.id, interface) not in endpoints:
                ident.create_endpoint(service_id=s.id, interface=interface, url=url, region_id="RegionOne")


def image(conn, name, file, fmt, container, folder="/root/img", **properties):
    found = conn.image.find_image(name)
    if found and found.status == "active":
        return found
    if found:
        conn.image.delete_image(found)
    t = time.time()
    made = conn.image.create_image(name=name, filename=os.path.join(folder, file), disk_format=fmt, container_format=container,
                                   visibility="public", validate_checksum=False, wait=True, timeout=300, **properties)
    print(f"{name}: {made.id}, {os.path.getsize(os.path.join(folder, file))} bytes in {time.time() - t:.1f} s")
    return made


def images():
    conn = connect()
    k = image(conn, "lab-kernel", "vmlinuz", "aki", "aki")
    r = image(conn, "lab-ramdisk", "initrd.gz", "ari", "ari")
    image(conn, "tiny", "disk.raw", "raw", "bare", kernel_id=k.id, ramdisk_id=r.id)
    if os.path.exists("/root/img/cloudinit.qcow2"):
        r = image(conn, "debian-cloudinit-ramdisk", "cloudinit-initrd.gz", "ari", "ari")
        image(conn, "debian-cloudinit", "cloudinit.qcow2", "qcow2", "bare", kernel_id=k.id, ramdisk_id=r.id,
              os_command_line="root=/dev/vda ro console=ttyS0 net.ifnames=0")


def net():
    admin, demo = connect(), connect("demo", "demo")
    flavors = {f.name for f in admin.compute.flavors()}
    for name, ram, disk, vcpus in (("m1.nano", 96, 1, 1), ("m1.small", 512, 1, 1), ("m1.huge", 40000, 1, 2)):
        if name not in flavors:
            admin.compute.create_flavor(name=name, ram=ram, disk=disk, vcpus=vcpus)
    n = admin.network
    public = n.find_network("public") or n.create_network(name="public", is_router_external=True, is_shared=True, provider_network_type="flat", provider_physical_network="physnet1")
    n.find_subnet("public-subnet") or n.create_subnet(
        name="public-subnet", network_id=public.id, ip_version=4, cidr=os.environ["EXT_CIDR"], gateway_ip=os.environ["EXT_GW"], is_dhcp_enabled=False,
        allocation_pools=[{"start": os.environ["EXT_POOL_START"], "end": os.environ["EXT_POOL_END"]}])
    n = demo.network
    private = n.find_network("private") or n.create_network(name="private")
    subnet = n.find_subnet("private-subnet") or n.create_subnet(
        name="private-subnet", network_id=private.id, ip_version=4, cidr="10.0.0.0/24", gateway_ip="10.0.0.1", dns_nameservers=[os.environ["EXT_GW"]])
    router = n.find_router("r1") or n.create_router(name="r1")
    n.update_router(router, external_gateway_info={"network_id": public.id})
    if not [p for p in n.ports(device_id=router.id, network_id=private.id)]:
        n.add_interface_to_router(router, subnet_id=subnet.id)
    group = n.find_security_group("web") or n.create_security_group(name="web", description="ping-ssh-http")
    have = {(r.protocol, r.port_range_min) for r in n.security_group_rules(security_group_id=group.id, direction="ingress")}
    for protocol, port in (("icmp", None), ("tcp", 22), ("tcp", 80)):
        if (protocol, port) not in have:
            n.create_security_group_rule(security_group_id=group.id, direction="ingress", ether_type="IPv4", protocol=protocol,
                                         port_range_min=port, port_range_max=port, remote_ip_prefix="0.0.0.0/0")
    if not demo.compute.find_keypair("demo-key"):
        with open("/root/demo_key.pub", encoding="ascii") as f:
            demo.compute.create_keypair(name="demo-key", public_key=f.read())


def boot(conn, name, host, image="tiny", flavor="m1.nano", **more):
    c = conn.compute
    return c.create_server(name=name, image_id=conn.image.find_image(image).id, flavor_id=c.find_flavor(flavor).id, networks=[{"uuid": conn.network.find_network("private").id}],
                           security_groups=[{"name": "web"}], availability_zone=f"nova:{host}", **more)


def servers():
    # the hosts are chosen by the admin (AZ:host); the servers belong to the demo project
    conn = connect(project="demo")
    for s in conn.compute.servers(details=False):
        conn.compute.delete_server(s)
    while list(conn.compute.servers(details=False)):
        time.sleep(0.5)
    for ip in conn.network.ips():
        conn.network.delete_ip(ip)
    made = [boot(conn, "web-1", "cmp1"), boot(conn, "db-1", "cmp2")]
    for s in made:
        conn.compute.wait_for_server(s, interval=1, wait=240)
    port = next(conn.network.ports(device_id=made[0].id))
    ip = conn.network.create_ip(floating_network_id=conn.network.find_network("public").id, port_id=port.id)
    print(f"floating ip of web-1: {ip.floating_ip_address}")


# Nova refuses control characters in a name (nova/api/validation/parameter_types.py), Neutron takes them
HOSTILE_SERVER = "$(reboot) ; [2J|<b>'\"%s"
HOSTILE = "\x1b[2J$(reboot)"


def other():
    """A second tenant whose network has the addresses of the first one's, IPv6 besides (SLAAC), and a router of its own; an instance
    with two ports; a network without DHCP and router; an instance on the external network. A guest finds its fixed address where
    nobody hands one out by its MAC on the kernel's command line. Few calls: each takes a quarter of a second."""
    ident = connect().identity
    project = ident.find_project("other", domain_id="default")
    if not project:
        project = ident.create_project(name="other", domain_id="default")
        users, roles = {u.name: u for u in ident.users()}, {r.name: r for r in ident.roles()}
        user = users.get("other") or ident.create_user(name="other", password=PASSWORD, domain_id="default", default_project_id=project.id)
        for u, role in ((user, "member"), (user, "reader"), (users["admin"], "admin")):
            ident.assign_project_role_to_user(project, u, roles[role])

    conn = connect(project="other")
    n = conn.network
    networks = {x.name: x for x in n.networks()}
    subnets = {x.name: x for x in n.subnets(project_id=project.id)}

    def network(name):
        return networks.get(name) or n.create_network(name=name)

    def subnet(of, name, **more):
        return subnets.get(name) or n.create_subnet(network_id=of.id, name=name, **more)

    lan, island, public = network(f"lan{HOSTILE}"), network("island"), networks["public"]
    inside = [subnet(lan, "lan-4", ip_version=4, cidr="10.0.0.0/24"),
              subnet(lan, "lan-6", ip_version=6, cidr="fd00:77::/64", ipv6_ra_mode="slaac", ipv6_address_mode="slaac")]
    subnet(island, "island-4", ip_version=4, cidr="192.168.77.0/24", gateway_ip=None, is_dhcp_enabled=False)
    router = next(n.routers(project_id=project.id), None) or n.create_router(name="r2", external_gateway_info={"network_id": public.id})
    have = list(n.ports(project_id=project.id))
    legs = {f["subnet_id"] for p in have if p.device_id == router.id for f in p.fixed_ips}
    for s in inside:
        if s.id not in legs:
            n.add_interface_to_router(router, subnet_id=s.id)
    groups = {g.name: g for g in n.security_groups(project_id=project.id)}
    group = groups.get(f"members{HOSTILE}") or n.create_security_group(name=f"members{HOSTILE}")
    if not [r for r in group.security_group_rules if r["direction"] == "ingress"]:
        n.create_security_group_rules([
            {"security_group_id": group.id, "direction": "ingress", "ether_type": family, **rule}
            for family, icmp, everybody in (("IPv4", "icmp", "0.0.0.0/0"), ("IPv6", "ipv6-icmp", "::/0"))
            for rule in ({"remote_group_id": group.id}, {"protocol": icmp, "remote_ip_prefix": everybody},
                         {"protocol": "tcp", "port_range_min": 22, "port_range_max": 22, "remote_ip_prefix": everybody})])

    fixed = {"fa:16:3e:77:00:11": ("192.168.77.11", ""), "fa:16:3e:77:00:12": ("192.168.77.12", ""), "fa:16:3e:77:00:50": ("198.19.0.50", os.environ["EXT_GW"])}

    def port(name, of, *groups, mac=None):
        placed = {"mac_address": mac, "fixed_ips": [{"ip_address": fixed[mac][0]}]} if mac else {}
        return {"name": name, "network_id": of.id, "security_group_ids": [g.id for g in groups], **placed}

    default = groups["default"]
    wanted = [port(f"app-1{HOSTILE}", lan, group), port("multi-1-lan", lan, group), port("multi-1-island", island, default, mac="fa:16:3e:77:00:12"),
              port("static-1", island, default, mac="fa:16:3e:77:00:11"), port("edge-1", public, group, mac="fa:16:3e:77:00:50")]
    ports = {p.name: p for p in have}
    for w in wanted:   # one by one: Neutron cannot make several at once where SLAAC makes the address of the MAC
        if w["name"] not in ports:
            ports[w["name"]] = n.create_port(**w)
    ramdisk = image(conn, "lab-ramdisk-static", "initrd-static.gz", "ari", "ari")
    static = image(conn, "tiny-static", "disk.raw", "raw", "bare", kernel_id=conn.image.find_image("lab-kernel").id, ramdisk_id=ramdisk.id, os_command_line=" ".join(
        ["root=/dev/vda console=tty0 console=ttyS0"] + [f"lab.{mac}={ip}/24,{gateway}" for mac, (ip, gateway) in fixed.items()]))
    flavor = conn.compute.find_flavor("m1.nano")
    found = {s.name: s for s in conn.compute.servers()}
    made = []
    for name, host, of in ((HOSTILE_SERVER, "cmp1", [f"app-1{HOSTILE}"]), ("multi-1", "cmp2", ["multi-1-lan", "multi-1-island"]),
                           ("static-1", "cmp1", ["static-1"]), ("edge-1", "cmp2", ["edge-1"])):
        if name in found and found[name].status == "ACTIVE":
            continue
        if name in found:
            conn.compute.delete_server(found[name])
            conn.compute.wait_for_delete(found[name], interval=1, wait=60)
        made.append(conn.compute.create_server(name=name, image_id=static.id, flavor_id=flavor.id, networks=[{"port": ports[p].id} for p in of],
                                               availability_zone=f"nova:{host}"))
    for s in made:
        conn.compute.wait_for_server(s, interval=1, wait=240)


def real(name="real-1", host="cmp2"):
    conn = connect(project="demo")
    for s in conn.compute.servers(details=False, name=f"^{name}$"):
        conn.compute.delete_server(s)
        conn.compute.wait_for_delete(s, interval=1, wait=60)
    s = boot(conn, name, host, "debian-cloudinit", "m1.small")
    print(conn.compute.wait_for_server(s, interval=1, wait=240).id)


try:
    {"keystone": keystone, "images": images, "net": net, "servers": servers, "other": other, "real": real}[sys.argv[1]](*sys.argv[2:])
except exceptions.SDKException as e:
    sys.exit(f"cloud.py {sys.argv[1]}: {type(e).__name__}: {e}")
