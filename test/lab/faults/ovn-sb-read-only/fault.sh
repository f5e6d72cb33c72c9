#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { sb set connection . read_only=true; }
heal()    { sb set connection . read_only=false; }
symptom() { pw && ! alive cmp1 ovn-controller; }
main "$@"
