#!/bin/sh
# The first customers, by the hash of CustomerPage in persisted-documents.json: curl/customers.sh [HOW_MANY]
set -eu

hash=8ad2fa78ea83489d8564deddf4ae5b66f678e6295e5147236ca1634bfe525f0a

curl --fail-with-body --silent --show-error --get "${GATEWAY_URL:-http://127.0.0.1:4000}/graphql" \
  --header "Authorization: Bearer ${GATEWAY_KEY:?Set it to a key of the gateway}" \
  --data-urlencode "documentId=sha256:$hash" \
  --data-urlencode "variables={\"first\":${1:-3}}"
echo
