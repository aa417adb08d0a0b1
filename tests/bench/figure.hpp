#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace holdfast::bench {

/// Which side of its reach a figure must stay on.
enum class goal : std::uint8_t { at_most, at_least };

/// One row of the report: our figure beside its limit. The limit is a raw peer taken in the same
/// run, another figure of ours where the issue compares two of them, or an absolute number.
struct figure {
  std::string name;
  std::string unit;
  double reach = 1; ///< for `ratio()`
  goal want = goal::at_most;
  double value = 0; ///< ours, the median
  double limit = 0; ///< the limit, the median
  /// What other systems take for the same, where that is known: measured elsewhere, on another
  /// machine, and so only for the order of magnitude.
  std::string others = {};

  double ratio() const noexcept { return limit > 0 ? value / limit : 0; }
  bool met() const noexcept { return want == goal::at_most ? ratio() <= reach : ratio() >= reach; }
};

/// What the command line asked for.
struct settings {
  bool quick = false;
  std::string directory; ///< scratch space on a real disk; emptied by each user
  std::string program;   ///< this program, for the rows that need a process of their own
  int repetitions() const noexcept { return quick ? 5 : 7; }
};

/// One side of a comparison: does its work and returns the figure of one repetition in `unit`.
using side = std::function<double()>;

/// Measures both sides in turn, `repetitions` times, and keeps the medians. The sides alternate
/// because the machine's speed drifts: only what ran side by side can be compared.
figure compare(figure row, int repetitions, const side& raw, const side& ours);

/// Measures a figure whose limit is known already.
figure measure(figure row, int repetitions, const side& ours);

double median(std::vector<double> values);

/// Prints the heading of the table, then one row at a time as it is known.
void print_heading(std::ostream& out);
void print_row(std::ostream& out, const figure& row);

/// The whole report as the JSON list that `build/bench.json` holds:
/// [{name, value, unit, limit, ratio, reach, met, others}].
void write_json(std::ostream& out, const std::vector<figure>& rows);

/// The report as a Markdown table, for the README.
void write_markdown(std::ostream& out, const std::vector<figure>& rows);

/// Nanoseconds per operation of `work`, which does `operations` of them.
template <class Work>
double nanoseconds_per_operation(std::size_t operations, Work&& work);

/// Operations per second of `work`, which does `operations` of them.
template <class Work>
double operations_per_second(std::size_t operations, Work&& work) {
  return 1e9 / nanoseconds_per_operation(operations, work);
}

/// Bytes that are taken from malloc, its overhead included, or mapped by the code under test,
/// whether touched or not.
std::size_t live_memory() noexcept;

/// Nanoseconds of the steady clock.
std::int64_t now() noexcept;

template <class Work>
double nanoseconds_per_operation(std::size_t operations, Work&& work) {
  auto begin = now();
  work();
  return static_cast<double>(now() - begin) / static_cast<double>(operations);
}

} // namespace holdfast::bench
