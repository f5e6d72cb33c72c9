#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { adm "openstack router set --disable $RTR"; }
heal()    { adm "openstack router set --enable $RTR"; }
symptom() { ! pf; }
main "$@"
