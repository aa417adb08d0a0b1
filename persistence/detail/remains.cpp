#include <holdfast/persistence/detail/remains.hpp>

#include <algorithm>

namespace holdfast::detail {
namespace {

// Every refusal of a damaged journal reads
//     <file>: <what is wrong>; lost: <what>[, while <what is there>]; <what to do>
// so that a person, or a script, finds it in one place.

/// "the 60 commits that MARK records", and how many of them were synced if not all.
std::string recorded(const mark& m, sequence all) {
  auto text =
      "the " + std::to_string(all) + (all == 1 ? " commit" : " commits") + " that MARK records";
  if (m.durable < all)
    text += " (" + std::to_string(m.durable) + " synced)";
  return text;
}

std::string commits(sequence first, sequence last) {
  return first == last ? "commit " + std::to_string(first)
                       : "commits " + std::to_string(first) + " to " + std::to_string(last);
}

std::string and_what_is_there(sequence found) {
  if (found == 0)
    return {};
  return ", while " + commits(1, found) + (found == 1 ? " is there" : " are there");
}

std::string lost_by_the_mark(const mark& m, std::optional<sequence> found) {
  const auto all = std::max(m.written, m.durable);
  if (all == 0)
    return "nothing that was promised, as MARK records no commit";
  if (!found)
    return "an unknown part of " + recorded(m, all);
  if (*found >= all)
    return "only that" + and_what_is_there(*found);
  return commits(*found + 1, all) + " of " + recorded(m, all) + and_what_is_there(*found);
}

std::string lost_without_the_mark(std::optional<sequence> found) {
  if (!found)
    return "unknown, as neither MARK nor the rest can be read";
  if (*found == 0)
    return "all commits, if there were any, which only MARK could tell";
  return "what came after commit " + std::to_string(*found) +
         ", if anything did, which only MARK could tell" + and_what_is_there(*found);
}

error continued(const error& e, std::string text) {
  error told{e.code(), std::move(text), e.where(), e.detail()};
  return e.cause() ? told.because(*e.cause()) : told;
}

} // namespace

error saying_what_is_lost(const error& e, const remains& known) {
  if (e == errc::locked)
    return e;
  auto text = e.message() + "; lost: ";
  if (e == errc::newer_format) {
    text += "nothing; open it with the version that wrote it";
  } else {
    text += known.marked ? lost_by_the_mark(*known.marked, known.found)
                         : lost_without_the_mark(known.found);
    text += e == errc::io ? "; mend the disk, or restore a backup" : "; restore a backup";
    if (e == errc::data_loss)
      text += ", or open it read-only to see what is left";
  }
  return continued(e, std::move(text));
}

error saying_what_is_there(const error& e, const remains& known) {
  if (e != errc::io || !known.marked || !known.found)
    return saying_what_is_lost(e, known);
  auto complete = *known.found >= std::max(known.marked->written, known.marked->durable);
  auto lost = complete ? "nothing" + and_what_is_there(*known.found)
                       : "no more than " + lost_by_the_mark(*known.marked, known.found);
  return continued(e, e.message() + "; lost: " + lost +
                          "; free some space or mend the disk, and open it again");
}

} // namespace holdfast::detail
