#!/bin/sh
# maestro: how an agent speaks to Maestro while it works. It is put into every session's HOME, so that it is there in any image;
# it needs a POSIX shell and one of curl, node or socat. MAESTRO_URL and MAESTRO_KEY say where and as whom.
set -u

help() {
  cat <<'HELP'
maestro ask "QUESTION" [--option "ANSWER"]...   ask the people who started this run, then end your turn
maestro note "TEXT"                             leave something for the sessions of later tasks to know
maestro replan "WHY" < tasks.md                 propose other tasks for what is left, as a markdown checklist; then end your turn
maestro done "SUMMARY"                          say what you did: it goes into the message of the commit
maestro blocked "WHY"                           say that the task can't be done, then end your turn
maestro help                                    this

Nobody can answer while you work: after ask, replan and blocked leave your work as it is and end your turn.
A text of - is read from standard input.
HELP
}

fail() {
  printf 'maestro: %s\n' "$1" >&2
  exit "${2:-2}"
}

# Fields go in the body with the separator ASCII has for this between them.
separator=$(printf '\036')

verb=${1:-help}
[ $# -eq 0 ] || shift
case $verb in
  ask | note | replan | done | blocked) ;;
  help | -h | --help) help; exit 0 ;;
  *) help >&2; fail "there is no '$verb'" ;;
esac

text= options= rest=
while [ $# -gt 0 ]; do
  case $1 in
    --option | --options)
      [ $# -gt 1 ] || fail "$1 needs an answer after it"
      options=$options$separator$2
      shift 2
      ;;
    --option=* | --options=*)
      options=$options$separator${1#*=}
      shift
      ;;
    --)
      shift
      text="$text${text:+ }$*"
      break
      ;;
    -)
      text="$text${text:+ }$(cat)"
      shift
      ;;
    -[!\ ]*) fail "there is no option '$1'; write -- before a text that begins with a dash" ;;
    *)
      text="$text${text:+ }$1"
      shift
      ;;
  esac
done
[ -z "$options" ] || [ "$verb" = ask ] || fail "only ask takes options"
if [ "$verb" = replan ]; then
  [ ! -t 0 ] || fail 'give the new tasks on standard input: maestro replan "WHY" < tasks.md'
  rest=$separator$(cat)
fi
[ -n "${MAESTRO_URL:-}" ] || fail 'nobody listens here (MAESTRO_URL is not set)' 1
url=$MAESTRO_URL/maestro/$verb
body=$text$options$rest

# Each prints the status on the first line and the answer after it.
with_curl() {
  printf '%s' "$body" | curl --silent --noproxy '*' --max-time 60 --request POST --header "authorization: Bearer $MAESTRO_KEY" \
    --header 'content-type: text/plain; charset=utf-8' --data-binary @- --output - --write-out '\n%{http_code}' "$url" |
    { answer=$(cat); printf '%s\n%s\n' "${answer##*
}" "${answer%
*}"; }
}
with_node() {
  printf '%s' "$body" | node --input-type=module -e '
    import http from "node:http";
    const chunks = [];
    for await (const chunk of process.stdin) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const headers = { authorization: `Bearer ${process.env.MAESTRO_KEY}`, "content-length": body.length };
    http.request(process.argv[1], { method: "POST", headers, agent: false }, (response) => {
      console.log(response.statusCode);
      response.pipe(process.stdout);
    }).end(body);
  ' "$url"
}
with_socat() {
  address=${MAESTRO_URL#http://}
  length=$(printf '%s' "$body" | wc -c)
  {
    printf 'POST /maestro/%s HTTP/1.0\r\nHost: %s\r\nAuthorization: Bearer %s\r\n' "$verb" "$address" "$MAESTRO_KEY"
    printf 'Content-Length: %s\r\nConnection: close\r\n\r\n%s' "$((length))" "$body"
  } | socat -t 60 - "TCP:$address" | tr -d '\r' | sed -e '1s/^HTTP[^ ]* \([0-9]*\).*/\1/' -e '2,/^$/d'
}

if command -v curl >/dev/null 2>&1; then answer=$(with_curl)
elif command -v node >/dev/null 2>&1; then answer=$(with_node)
elif command -v socat >/dev/null 2>&1; then answer=$(with_socat)
else fail 'neither curl nor node nor socat is here' 1
fi
said=${answer#*
}
case $answer in
  200*) printf '%s\n' "$said" ;;
  [1-5][0-9][0-9]*) fail "$said" 1 ;;
  *) fail "Maestro did not answer at $MAESTRO_URL" 1 ;;
esac
