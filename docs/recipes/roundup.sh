#!/usr/bin/env bash
# Files each ticket of `logjam … --format ticket` (on standard input) in a Roundup tracker, or adds a message to the
# issue that is open for the same key. Says on standard output what it did. Needs bash, curl and jq.
#
#   export TRACKER=https://bugs.example.org/tracker/ NETRC=~/.netrc AUTHOR=NAME
#   logjam dumps/ --format ticket | roundup.sh
#
# NETRC is a file with the line: machine bugs.example.org login NAME password PASSWORD
# AUTHOR is the same NAME: the tracker wants to know who wrote a message.
# CLOSED are the names of the statuses of an issue that is done; a jam that comes back is a new issue then.
set -euo pipefail
shopt -s inherit_errexit

: "${TRACKER:?the address of the tracker}" "${NETRC:?a file with name and password}" "${AUTHOR:?the name in it}"
CLOSED=${CLOSED:-resolved done-cbb}
api=${TRACKER%/}/rest/data
origin=$(sed -E 's|^(https?://[^/]+).*|\1|' <<<"$TRACKER")

# call METHOD PATH [CURL-OPTION…]: an answer that is an error ends the script.
call() {
    local method=$1 path=$2 answer
    shift 2
    answer=$(curl --silent --show-error --fail-with-body --netrc-file "$NETRC" --request "$method" \
        --header "Origin: $origin" --header "Referer: ${TRACKER%/}/" --header 'X-Requested-With: rest' \
        --header 'Content-Type: application/json' "$@" "$api/$path") || {
        echo "$method $path: $answer" >&2
        return 1
    }
    echo "$answer"
}

# The number of the keyword that is named like the key.
keyword() {
    local found
    found=$(call GET keyword --get --data-urlencode "name:=$1" | jq -r '.data.collection[0].id // empty')
    [[ -n $found ]] || found=$(jq -n --arg name "$1" '{$name}' | call POST keyword --data @- | jq -r .data.id)
    echo "$found"
}

# The number of the open issue with this keyword, if there is one.
open_issue() {
    call GET issue --get --data-urlencode "keyword=$1" --data-urlencode '@fields=status' \
        --data-urlencode '@verbose=2' |
        jq -r --arg closed "$CLOSED" '($closed | split(" ")) as $closed
            | first(.data.collection[] | select(.status.name as $s | $closed | index([$s]) | not)).id // empty'
}

while IFS= read -r ticket; do
    key=$(jq -r .key <<<"$ticket")
    keyword=$(keyword "$key")
    issue=$(open_issue "$keyword")
    message=$(jq --arg author "$AUTHOR" '{content: .body, $author}' <<<"$ticket" | call POST msg --data @- | jq -r .data.id)
    if [[ -n $issue ]]; then
        etag=$(call GET "issue/$issue" | jq -r '.data."@etag"')
        jq -n --arg message "$message" '{"@op": "add", messages: [$message]}' |
            call PATCH "issue/$issue" --header "If-Match: $etag" --data @- >/dev/null
        echo "$key: added to issue$issue"
    else
        issue=$(jq --arg keyword "$keyword" --arg message "$message" '{title, keyword: [$keyword],
                messages: [$message], status: "unread",
                priority: ({critical: "critical", high: "urgent", medium: "bug"}[.severity] // "wish")}' \
            <<<"$ticket" | call POST issue --data @- | jq -r .data.id)
        echo "$key: filed as issue$issue"
    fi
done
