// The Debian package index of this machine in a durable, supervised store: loads it, queries it,
// crashes a bucket on purpose and goes on; run again, it restores everything from disk.

#include "catalog.hpp"
#include "input.hpp"
#include "progress.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace {

namespace fs = std::filesystem;
namespace hf = holdfast;
using namespace hf::literals;
using package_index::catalog;
using package_index::grouped;

struct options {
  std::string data;
  package_index::sources from;
  bool crash = false;
  bool reload = false;
};

/// Ends the program with a message; only for errors that leave nothing to go on with.
[[noreturn]] void give_up(const hf::error& e) {
  std::fprintf(stderr, "package_index: %s\n", e.to_string().c_str());
  std::exit(1);
}

template <class T>
T need(hf::result<T> r) {
  if (!r)
    give_up(r.error());
  if constexpr (!std::is_void_v<T>)
    return std::move(*r);
}

double milliseconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

std::string text_of(const hf::record& r, std::string_view field) {
  auto v = r[field];
  return v.is_null() ? std::string{"-"} : std::string{v.as_string()};
}

void print_package(const hf::record& r) {
  auto size = r["installed_size"];
  std::printf("    %-28s %-18s %10s KiB  %s\n", text_of(r, "name").c_str(),
              text_of(r, "version").substr(0, 18).c_str(),
              size.is_null() ? "-" : grouped(static_cast<std::uint64_t>(size.as_int())).c_str(),
              text_of(r, "summary").substr(0, 48).c_str());
}

/// Runs a query and prints what it found, how fast, and how it was planned.
void show(const std::string& title, const hf::selection& query) {
  auto begin = std::chrono::steady_clock::now();
  auto found = need(query.all().get());
  auto took = milliseconds_since(begin);
  std::printf("  %s: %zu in %.2f ms\n", title.c_str(), found.size(), took);
  for (std::size_t i = 0; i < found.size() && i < 10; ++i)
    print_package(found[i]);
  if (found.size() > 10)
    std::printf("    ... and %s more\n", grouped(found.size() - 10).c_str());
  std::printf("    plan: %s\n", need(query.explain()).to_string().c_str());
}

/// Where a run with --crash notes how many packages were acknowledged, beside the store's
/// directory.
fs::path crash_note(const options& o) { return o.data + ".crashed"; }

/// Loads the index; with --crash, kills this process when half of the text is parsed.
void load(catalog& c, const options& o, const package_index::input& from) {
  package_index::progress_bar bar{"loading " + from.name};
  auto report = need(c.load(from, [&](std::size_t at, std::size_t all, std::uint64_t done) {
    bar.update(at, all, done);
    if (o.crash && at > all / 2) {
      std::ofstream{crash_note(o)} << done << "\n";
      std::printf(
          "\n  %s packages are acknowledged; now SIGKILL. Run again to see what survived.\n",
          grouped(done).c_str());
      std::fflush(stdout);
      raise(SIGKILL);
    }
  }));
  bar.finish(report.packages);
  for (auto& broken : report.broken)
    std::printf("  line %zu skipped: %s\n", broken.line, broken.what.c_str());
  for (auto& refused : report.refused)
    std::printf("  refused %s\n", refused.c_str());
  std::printf("  %s broken lines skipped, %s packages refused\n",
              grouped(report.broken.size()).c_str(), grouped(report.refused.size()).c_str());
}

/// What the start found on disk, and whether a crash took anything that it must not.
void report_restore(catalog& c, const options& o) {
  auto& found = c.db().restored();
  if (found.records > 0)
    std::printf("  restored %s records in %.1f ms\n", grouped(found.records).c_str(),
                std::chrono::duration<double, std::milli>(found.took).count());
  else
    std::printf("  nothing there yet\n");
  if (std::ifstream note{crash_note(o)}; note) {
    std::uint64_t acknowledged = 0;
    note >> acknowledged;
    auto survived = need(c.packages().count().get());
    std::printf("  the run before was killed after %s acknowledged packages: %s survived, %s\n",
                grouped(acknowledged).c_str(), grouped(survived).c_str(),
                survived >= acknowledged ? "nothing acknowledged was lost" : "SOME WERE LOST");
    if (survived < acknowledged)
      std::exit(2);
    fs::remove(crash_note(o));
  }
}

/// Opens the store and sees to it that the index is in it.
catalog ready(const options& o, bool quiet) {
  if (!quiet)
    std::printf("the store in %s\n", o.data.c_str());
  auto c = need(catalog::open(o.data));
  if (!quiet)
    report_restore(c, o);
  if (o.crash || o.reload)
    need(c.clear());
  // Only what was loaded to its end counts; the rest is put there by loading again.
  auto anything = need(c.packages().count().get()) > 0;
  if (quiet && anything)
    return c;
  auto from = package_index::read_input(o.from);
  if (from.text.empty()) {
    std::fprintf(stderr, "package_index: %s\n", from.name.c_str());
    std::exit(1);
  }
  if (!c.is_loaded(from.name))
    load(c, o, from);
  return c;
}

void show_tally(const std::string& title, const std::vector<package_index::tally>& list,
                std::size_t most) {
  std::printf("  %s\n", title.c_str());
  for (std::size_t i = 0; i < list.size() && i < most; ++i)
    std::printf("    %8s  %s\n", grouped(list[i].packages).c_str(), list[i].name.c_str());
}

/// Crashes the actor behind the bucket, and uses the same handle as if nothing had been.
void crash_a_bucket(catalog& c) {
  auto& packages = c.packages();
  auto before = need(packages.count().get());
  auto begin = std::chrono::steady_clock::now();
  need(c.db().crash("packages"));
  auto took = milliseconds_since(begin);
  auto any = need(packages.first(1).get());
  auto name = text_of(any.at(0), "name");
  need(packages.update(name, {{"summary", "written after the crash"}}).get());
  need(packages.update(name, {{"summary", text_of(any.at(0), "summary")}}).get());
  std::printf("  the actor of bucket 'packages' was crashed; its supervisor restarted it in %.2f "
              "ms.\n  The same handle reads %s packages (%s before) and writes as ever.\n",
              took, grouped(need(packages.count().get())).c_str(), grouped(before).c_str());
  std::printf("\n%s\n", c.db().tree().c_str());
}

/// What a newcomer sees: everything once.
void tour(const options& o) {
  auto c = ready(o, false);
  auto& packages = c.packages();
  std::printf("\nqueries over %s packages\n", grouped(need(packages.count().get())).c_str());
  auto sections = need(c.tally_by("section"));
  show_tally("packages per section, the largest of " + std::to_string(sections.size()), sections,
             6);
  auto maintainers = need(c.tally_by("maintainer"));
  show_tally("busiest of " + grouped(maintainers.size()) + " maintainers", maintainers, 3);
  show("section 'editors'", packages.where("section"_f == "editors"));
  if (!maintainers.empty())
    show("maintained by " + maintainers[0].name,
         packages.where("maintainer"_f == maintainers[0].name).limit(3));
  show("largest installed sizes",
       packages.everything().order_by("installed_size", hf::direction::descending).limit(5));
  show("names that begin with 'libz'",
       packages.where("name"_f.starts_with("libz")).order_by("name").limit(5));
  std::printf("\na crash on purpose\n");
  crash_a_bucket(c);
  need(c.db().stop());
  std::printf("Run it again: it restores from disk and says how fast. With --crash it kills itself "
              "in mid-load,\nand the run after shows what survived. --help lists the queries.\n");
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"The Debian package index in a durable, supervised store.\n"
               "Without a query: loads it, shows a few queries, crashes a bucket and goes on."};
  options o;
  std::error_code unknown;
  auto self = fs::read_symlink("/proc/self/exe", unknown);
  o.data = (self.parent_path() / "package_index.data").string();
  app.add_option("--data", o.data, "Directory of the store")->capture_default_str();
  app.add_option("--file", o.from.file, "Control file to load instead of this machine's index")
      ->check(CLI::ExistingFile);
  app.add_option("--status", o.from.status, "What to load where `apt-cache dumpavail` says nothing")
      ->capture_default_str();
  app.add_flag("--crash", o.crash, "Start afresh, and SIGKILL this process in mid-load");
  app.add_flag("--reload", o.reload, "Forget what is there, and load again");
  app.require_subcommand(0, 1);

  std::string text;
  std::uint64_t count = 10;
  auto* section = app.add_subcommand("section", "Packages of a section");
  section->add_option("NAME", text)->required();
  auto* maintainer = app.add_subcommand("maintainer", "Packages of a maintainer");
  maintainer->add_option("NAME", text, "As in the index: 'Name <address>'")->required();
  auto* largest = app.add_subcommand("largest", "Largest installed sizes");
  largest->add_option("N", count)->capture_default_str();
  auto* prefix = app.add_subcommand("prefix", "Packages whose name begins with a text");
  prefix->add_option("TEXT", text)->required();
  auto* sections = app.add_subcommand("sections", "Number of packages per section");
  CLI11_PARSE(app, argc, argv);
  // The supervisor's warnings go to standard error: keep them in order with what is printed here.
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);

  if (app.get_subcommands().empty()) {
    tour(o);
    return 0;
  }
  auto c = ready(o, !o.crash && !o.reload && o.from.file.empty());
  auto& packages = c.packages();
  if (*section)
    show("section '" + text + "'", packages.where("section"_f == text));
  else if (*maintainer)
    show("maintained by " + text, packages.where("maintainer"_f == text));
  else if (*largest)
    show("largest installed sizes",
         packages.everything().order_by("installed_size", hf::direction::descending).limit(count));
  else if (*prefix)
    show("names that begin with '" + text + "'",
         packages.where("name"_f.starts_with(text)).order_by("name"));
  else if (*sections)
    show_tally("packages per section", need(c.tally_by("section")), SIZE_MAX);
  need(c.db().stop());
  return 0;
}
