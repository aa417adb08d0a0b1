#include "figure.hpp"

#include <benchmark/benchmark.h>

#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <iomanip>
#include <ostream>
#include <sstream>

namespace {

std::atomic<std::size_t> mapped_bytes{0};

} // namespace

// The linker turns the calls of mmap and munmap in the code under test into these (see
// CMakeLists.txt): slabs that are mapped are memory, too, and malloc does not know of them.
extern "C" {
void* __real_mmap(void*, std::size_t, int, int, int, off_t);
int __real_munmap(void*, std::size_t);
void* __wrap_mmap(void* at, std::size_t bytes, int protection, int flags, int file, off_t from) {
  auto* out = __real_mmap(at, bytes, protection, flags, file, from);
  if (out != MAP_FAILED)
    mapped_bytes += bytes;
  return out;
}
int __wrap_munmap(void* at, std::size_t bytes) {
  mapped_bytes -= bytes;
  return __real_munmap(at, bytes);
}
}

namespace holdfast::bench {

namespace {

/// Keeps the one number of a run instead of printing it.
class keep_last final : public benchmark::BenchmarkReporter {
public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (auto& run : runs)
      last = run.real_accumulated_time;
  }
  double last = 0;
};

/// One repetition of one side, run by Google Benchmark with its time taken by the side itself,
/// which knows what of its work is preparation.
double run_once(const std::string& name, const side& work) {
  benchmark::ClearRegisteredBenchmarks();
  benchmark::RegisterBenchmark(name.c_str(),
                               [&](benchmark::State& state) {
                                 for (auto step : state) {
                                   static_cast<void>(step);
                                   state.SetIterationTime(work());
                                 }
                               })
      ->Iterations(1)
      ->UseManualTime();
  keep_last reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter, ".*");
  return reporter.last;
}

std::string shown(double x) {
  std::ostringstream out;
  if (x >= 1e6)
    out << std::fixed << std::setprecision(2) << x / 1e6 << " M";
  else if (x >= 1e4)
    out << std::fixed << std::setprecision(1) << x / 1e3 << " k";
  else
    out << std::fixed << std::setprecision(x < 10 ? 3 : x < 100 ? 1 : 0) << x;
  return out.str();
}

std::string bound(const figure& row) {
  std::ostringstream out;
  out << (row.want == goal::at_most ? "<= " : ">= ") << row.reach << "x";
  return out.str();
}

} // namespace

double median(std::vector<double> values) {
  if (values.empty())
    return 0;
  std::sort(values.begin(), values.end());
  auto middle = values.size() / 2;
  return values.size() % 2 != 0 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

figure compare(figure row, int repetitions, const side& raw, const side& ours) {
  std::vector<double> limits, values;
  for (int i = 0; i < repetitions; ++i) {
    // Who goes first alternates too: the first of a pair finds the caches as the last left them.
    if (i % 2 == 0)
      limits.push_back(run_once(row.name + "/raw", raw));
    values.push_back(run_once(row.name, ours));
    if (i % 2 != 0)
      limits.push_back(run_once(row.name + "/raw", raw));
  }
  row.limit = median(std::move(limits));
  row.value = median(std::move(values));
  return row;
}

figure measure(figure row, int repetitions, const side& ours) {
  std::vector<double> values;
  for (int i = 0; i < repetitions; ++i)
    values.push_back(run_once(row.name, ours));
  row.value = median(std::move(values));
  return row;
}

void print_heading(std::ostream& out) {
  out << std::left << std::setw(28) << "figure" << std::right << std::setw(11) << "holdfast"
      << std::setw(11) << "limit"
      << "  " << std::left << std::setw(8) << "unit" << std::right << std::setw(7) << "ratio"
      << std::setw(10) << "reach" << std::endl;
}

void print_row(std::ostream& out, const figure& row) {
  out << std::left << std::setw(28) << row.name << std::right << std::setw(11) << shown(row.value)
      << std::setw(11) << shown(row.limit) << "  " << std::left << std::setw(8) << row.unit
      << std::right << std::setw(7) << std::fixed << std::setprecision(2) << row.ratio()
      << std::defaultfloat << std::setw(10) << bound(row) << (row.met() ? "  met" : "  MISSED")
      << std::endl;
}

void write_json(std::ostream& out, const std::vector<figure>& rows) {
  out << "[\n" << std::setprecision(10) << std::boolalpha;
  for (auto& row : rows)
    out << "  {\"name\": \"" << row.name << "\", \"value\": " << row.value << ", \"unit\": \""
        << row.unit << "\", \"limit\": " << row.limit << ", \"ratio\": " << row.ratio()
        << ", \"reach\": " << row.reach << ", \"met\": " << row.met() << ", \"others\": \""
        << row.others << "\"" << (&row == &rows.back() ? "}\n" : "},\n");
  out << "]\n";
}

void write_markdown(std::ostream& out, const std::vector<figure>& rows) {
  out << "| figure | holdfast | limit | unit | ratio | reach | | others |\n"
      << "| --- | ---: | ---: | --- | ---: | ---: | --- | --- |\n";
  for (auto& row : rows)
    out << "| " << row.name << " | " << shown(row.value) << " | " << shown(row.limit) << " | "
        << row.unit << " | " << std::fixed << std::setprecision(2) << row.ratio()
        << std::defaultfloat << " | " << bound(row) << " | " << (row.met() ? "met" : "missed")
        << " | " << row.others << " |\n";
}

std::size_t live_memory() noexcept {
  // Chunks in use with their headers, and what was mapped on its own.
  auto info = mallinfo2();
  return info.uordblks + info.hblkhd + mapped_bytes;
}

std::int64_t now() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

} // namespace holdfast::bench
