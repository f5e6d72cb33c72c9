#!/bin/bash
. "$(dirname "$0")/../lib.sh"
. "$LAB_DIR/steps.sh"
cert()    { new_cert cmp2 $1 && give_cert; again cmp2; }
inject()  { cert 0; }
heal()    { cert 3650; }
symptom() { pd && ! alive cmp2 ovn-controller; }
main "$@"
