#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { adm "openstack port set --disable $WEB_PORT"; }
heal()    { adm "openstack port set --enable $WEB_PORT"; }
symptom() { ! pw; }
main "$@"
