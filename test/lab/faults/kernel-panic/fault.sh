#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { adm "k=\$(openstack image show tiny -f json | grep -oE '\"(kernel|ramdisk)_id\": *\"[0-9a-f-]*\"' | tr -d '\" ' | sed 's/:/=/; s/^/--property /' | tr '\n' ' ')
  openstack image create --container-format bare --disk-format raw --file /etc/hostname \$k --property os_command_line='console=ttyS0 rdinit=/nowhere root=/dev/nowhere' panic-image -f value -c id && openstack server create --flavor m1.nano --image panic-image --network private --availability-zone nova:cmp1 panic-1 -f value -c id"; }
heal()    { adm "openstack server delete --wait panic-1; openstack image delete panic-image; true"; }
symptom() { console panic-1 | grep -q 'Kernel panic'; }
main "$@"
