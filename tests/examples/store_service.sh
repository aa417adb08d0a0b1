# Run by ctest: store_service.sh PROGRAM WORK.
source "${BASH_SOURCE%/*}/service.sh"

in_order=('shop (rest_for_one) stopped' 'desk stopped' 'floor (one_for_one) stopped'
  'printer stopped' 'customer stopped' 'reporter stopped' 'stopped in order')
counts='([0-9]+) jobs accepted, ([0-9]+) refused, ([0-9]+) looked up; ([0-9]+) printed, ([0-9]+) at'

begin --seconds 2
finish
expect 0 'it is up again' 'time is up, stopping' "${in_order[@]}"
[[ $said =~ $counts ]] || fail "no counts"
for count in "${BASH_REMATCH[@]:1}"; do
  ((count > 0)) || fail "one of the counts is 0"
done

# Asked to end when it has crashed a bucket and printed something; the next run goes on with that.
begin --data "$work/data"
await 'it is up again'
await 'takes [1-9][^ ]* ms on average'
ask_to_end
finish
expect 0 'asked to end, stopping' "${in_order[@]}"
[[ $said =~ $counts ]] || fail "no counts"
printed=${BASH_REMATCH[4]}
((printed > 0)) || fail "printed nothing"
begin --data "$work/data" --seconds 1
finish
expect 0 'time is up, stopping' "${in_order[@]}"
[[ $said =~ $counts ]] || fail "no counts"
((BASH_REMATCH[4] >= printed)) || fail "of $printed printed jobs ${BASH_REMATCH[4]} are left"

expect_usage
