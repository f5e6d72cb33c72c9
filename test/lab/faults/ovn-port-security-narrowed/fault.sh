#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { nb lsp-set-port-security $WEB_PORT "$WEB_MAC 10.0.0.250"; }
heal()    { nb lsp-set-port-security $WEB_PORT "$WEB_MAC $WEB"; }
symptom() { ! pw; }
main "$@"
