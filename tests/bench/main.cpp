#include "rows.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string_view>

namespace {

using namespace holdfast::bench;

/// The command line; tests/bench/run explains it.
struct arguments {
  settings asked;
  std::string only;
  std::string json;
  std::string markdown;
  bool help = false;
  // What the restore rows start this program again with.
  std::string fill;
  std::uint32_t count = 0;
  bool killed = false;
  std::string load;
};

arguments parse(int argc, char** argv) {
  arguments out;
  out.asked.program = argv[0];
  out.asked.directory = "bench.data";
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    auto value = [&]() -> std::string {
      if (i + 1 == argc)
        throw std::runtime_error{std::string{name} + " needs a value"};
      return argv[++i];
    };
    if (name == "--help")
      out.help = true;
    else if (name == "--quick")
      out.asked.quick = true;
    else if (name == "--only")
      out.only = value();
    else if (name == "--json")
      out.json = value();
    else if (name == "--markdown")
      out.markdown = value();
    else if (name == "--directory")
      out.asked.directory = value();
    else if (name == "--fill")
      out.fill = value();
    else if (name == "--count")
      out.count = static_cast<std::uint32_t>(std::stoul(value()));
    else if (name == "--killed")
      out.killed = true;
    else if (name == "--load")
      out.load = value();
    else
      throw std::runtime_error{"unknown argument: " + std::string{name}};
  }
  return out;
}

constexpr std::string_view usage =
    "Measures holdfast beside raw limits. tests/bench/run builds and calls it.\n"
    "  --quick           fewer repetitions, without the slow figures\n"
    "  --only REGEX      those figures alone\n"
    "  --json FILE       writes a list of {name, value, unit, limit, ratio, reach, met}\n"
    "  --markdown FILE   writes the table as the README has it\n"
    "  --directory DIR   where files are made, and left (default: bench.data)\n";

/// Rewritten after each row, so that an interrupted run leaves what it knows.
void save(const std::string& path, const std::vector<figure>& figures) {
  if (path.empty())
    return;
  std::ofstream out{path};
  write_json(out, figures);
}

int run(const arguments& args) {
  const re2::RE2 wanted{args.only};
  if (!wanted.ok())
    throw std::runtime_error{"--only: " + wanted.error()};
  std::vector<figure> figures;
  print_heading(std::cout);
  for (auto group : {memory_rows, query_rows, operator_rows, limits_rows, purge_rows,
                     transaction_rows, reactive_rows, durable_rows, restore_rows})
    for (auto& row : group()) {
      if (!re2::RE2::PartialMatch(row.name, wanted) || (row.slow && args.asked.quick))
        continue;
      figures.push_back(row.measure(args.asked));
      print_row(std::cout, figures.back());
      save(args.json, figures);
    }
  if (!args.markdown.empty()) {
    std::ofstream out{args.markdown};
    write_markdown(out, figures);
  }
  auto missed = std::count_if(figures.begin(), figures.end(), [](auto& f) { return !f.met(); });
  std::cout << figures.size() << " figures, " << missed << " missed\n";
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  try {
    auto args = parse(argc, argv);
    if (args.help) {
      std::cout << usage;
      return 0;
    }
    return args.fill.empty() ? run(args)
                             : fill_directory(args.fill, args.count, args.killed, args.load);
  } catch (const std::exception& e) {
    std::cerr << "holdfast_bench: " << e.what() << "\n";
    return 1;
  }
}
