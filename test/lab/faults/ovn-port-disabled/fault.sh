#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { nb lsp-set-enabled $WEB_PORT disabled; }
heal()    { nb lsp-set-enabled $WEB_PORT enabled; }
symptom() { ! pw; }
main "$@"
