#!/bin/bash
. "$(dirname "$0")/../lib.sh"
read_only() { local c; for c in $(sb --bare --columns=_uuid list connection); do sb set connection $c read_only=$1; done; }
inject()  { read_only true; }
heal()    { read_only false; }
symptom() { pw && ! alive cmp1 ovn-controller; }
main "$@"
