# Sourced by the tests of the services, which ctest runs as NAME.sh PROGRAM WORK: starts a service,
# waits for what it says, and looks at how it ends.
set -euo pipefail
program=$1 work=$2
rm -rf "$work"
mkdir -p "$work"
mkfifo "$work/out"

said='' code='' pid=''
trap '[[ -z $pid ]] || kill -KILL "$pid" 2>/dev/null || true' EXIT

fail() {
  printf '%s: %s, in\n%s\n%s\n' "${0##*/}" "$1" "$said" "$(cat "$work/err")" >&2
  exit 1
}

# Starts the program with the arguments.
begin() {
  said=''
  "$program" "$@" >"$work/out" 2>"$work/err" </dev/null &
  pid=$!
  exec {out}<"$work/out"
}

# Reads up to the first line that matches the regular expression.
await() {
  local line
  while IFS= read -r line <&"$out"; do
    said+=$line$'\n'
    [[ ! $line =~ $1 ]] || return 0
  done
  fail "ended without '$1'"
}

ask_to_end() { kill -TERM "$pid"; }

# Reads the rest, and waits for the end: `code` is what the program ended with.
finish() {
  said+=$(cat <&"$out")
  exec {out}<&-
  code=0
  wait "$pid" || code=$?
  pid=''
}

# Whether it ended with the exit code of the first argument, and said the others in their order.
expect() {
  local rest=$said text
  ((code == $1)) || fail "ended with $code, not $1"
  shift
  for text; do
    [[ $rest == *"$text"* ]] || fail "no '$text' where it is expected"
    rest=${rest#*"$text"}
  done
}

# Whether it explains itself, and refuses what it does not understand.
expect_usage() {
  begin --help
  finish
  expect 0 "usage: ${program##*/}"
  begin --no-such-option
  finish
  expect 1
  [[ $(<"$work/err") == "usage: ${program##*/}"* ]] || fail "does not say what it takes"
}
