#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { nb --if-exists lsp-del $WEB_PORT; }
heal()    { nb_repair; }
symptom() { ! pw; }
main "$@"
