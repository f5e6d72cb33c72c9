#!/bin/bash
. "$(dirname "$0")/../lib.sh"
inject()  { nb --may-exist lb-add thief $FIP:80 10.0.0.250:80; nb --may-exist lr-lb-add $(LR) thief; }
heal()    { nb --if-exists lb-del thief; }
symptom() { pf && ! hf; }
main "$@"
