# Run by ctest: supervised_service.sh PROGRAM WORK.
source "${BASH_SOURCE%/*}/service.sh"

# Who is stopped, the last started first, and the tree that is left.
in_order=('workers: stuck (incarnation ' 'workers: greeter (incarnation ' 'workers: stopped'
  'service: workers (incarnation 1) child_stopped' 'service: names (incarnation 1) child_stopped'
  'service: stopped'
  '-- stopped' 'service (rest_for_one) stopped' 'names stopped' 'workers (one_for_one) stopped'
  'greeter stopped' 'flaky stopped' 'hopeless stopped' 'stuck stopped' 'stopped in order')

begin --seconds 2
finish
expect 0 '-- started' 'hopeless up' '-- after some crashes' 'hopeless quarantined' \
  'stuck up, incarnation 2' 'time is up, stopping' "${in_order[@]}"

# Asked when everything that may happen has happened.
begin
await 'stuck up, incarnation 2'
ask_to_end
finish
expect 0 'asked to end, stopping' "${in_order[@]}"

# Asked at once: one of its actors hangs in a handler then, and is cut off.
begin
await '^service .* up'
ask_to_end
finish
expect 0 'asked to end, stopping' "${in_order[@]}"

expect_usage
