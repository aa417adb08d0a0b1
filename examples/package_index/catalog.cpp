#include "catalog.hpp"

#include <holdfast/persistence/rocksdb.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <semaphore>

namespace package_index {

namespace hf = holdfast;

namespace {

hf::schema package_schema() {
  return hf::schema{"packages"}
      .key("name", hf::string().length(1, 200))
      .field("version", hf::string().required().length(1, 200))
      .field("section", hf::string().otherwise("unknown"))
      .field("maintainer", hf::string())
      .field("summary", hf::string())
      .field("installed_size", hf::integer().min(0)) // KiB
      .field("depends", hf::array_of())
      .index("name") // for prefixes: the key alone finds whole names only
      .index("section")
      .index("maintainer")
      .index("installed_size");
}

hf::schema load_schema() {
  return hf::schema{"loads"}
      .key("source", hf::string())
      .field("packages", hf::integer().required())
      .field("broken_lines", hf::integer().required());
}

hf::object fields_of(const package& p) {
  hf::object out{{"name", p.name}, {"version", p.version}};
  if (!p.section.empty())
    out.set("section", p.section);
  if (!p.maintainer.empty())
    out.set("maintainer", p.maintainer);
  if (!p.summary.empty())
    out.set("summary", p.summary);
  if (p.installed_size)
    out.set("installed_size", *p.installed_size);
  hf::array names;
  for (auto& name : p.depends)
    names.emplace_back(name);
  out.set("depends", std::move(names));
  return out;
}

/// The writes that are not answered yet: no more than a window of them at a time.
class in_flight {
public:
  explicit in_flight(std::ptrdiff_t window) : window_{window}, free_{window} {}

  void start(const std::string& name, hf::pending<hf::record> write) {
    free_.acquire();
    std::move(write).on_completion([this, name](hf::result<hf::record> answer) {
      if (answer) {
        ++acknowledged_;
      } else {
        std::lock_guard lock{mutex_};
        refused_.push_back(name + ": " + answer.error().to_string());
      }
      free_.release();
    });
  }
  void wait() {
    for (std::ptrdiff_t i = 0; i < window_; ++i)
      free_.acquire();
    free_.release(window_);
  }
  std::uint64_t acknowledged() const noexcept { return acknowledged_; }
  std::vector<std::string> take_refused() { return std::move(refused_); }

private:
  std::ptrdiff_t window_;
  std::counting_semaphore<> free_;
  std::atomic<std::uint64_t> acknowledged_{0};
  std::mutex mutex_;
  std::vector<std::string> refused_;
};

} // namespace

hf::result<catalog> catalog::open(const std::string& directory) {
  auto db = hf::store::start({.name = "package_index",
                              .journal = hf::rocksdb({.directory = directory}),
                              .durability = hf::durability::group});
  if (!db)
    return hf::fail(db.error());
  auto packages = db->define(package_schema());
  if (!packages)
    return hf::fail(packages.error());
  auto loads = db->define(load_schema());
  if (!loads)
    return hf::fail(loads.error());
  return catalog{std::move(*db), std::move(*packages), std::move(*loads)};
}

hf::result<load_report> catalog::load(const input& from, const progress& show) {
  load_report report;
  control_reader reader{from.text};
  {
    in_flight writes{window};
    while (auto paragraph = reader.next()) {
      if (auto p = package_of(*paragraph, reader))
        writes.start(p->name, packages_.upsert(fields_of(*p)));
      show(reader.position(), reader.size(), writes.acknowledged());
    }
    writes.wait();
    report.packages = writes.acknowledged();
    report.refused = writes.take_refused();
  }
  report.broken = reader.broken();
  auto noted = loads_
                   .upsert({{"source", from.name},
                            {"packages", report.packages},
                            {"broken_lines", report.broken.size()}})
                   .get();
  if (!noted)
    return hf::fail(noted.error());
  return report;
}

bool catalog::is_loaded(const std::string& source) const { return loads_.contains(source); }

hf::result<void> catalog::clear() {
  if (auto gone = loads_.clear().get(); !gone)
    return hf::fail(gone.error());
  if (auto gone = packages_.clear().get(); !gone)
    return hf::fail(gone.error());
  return {};
}

hf::result<std::vector<tally>> catalog::tally_by(std::string_view field) const {
  std::map<std::string, std::uint64_t, std::less<>> counts;
  auto visited = packages_.everything().visit([&](const auto& r) {
    auto name = r[field];
    auto text = name.is_null() ? std::string_view{"(none)"} : name.as_string();
    auto at = counts.find(text);
    if (at == counts.end())
      at = counts.emplace(std::string{text}, 0).first;
    ++at->second;
  });
  if (!visited)
    return hf::fail(visited.error());
  std::vector<tally> out;
  for (auto& [name, packages] : counts)
    out.push_back({name, packages});
  std::stable_sort(out.begin(), out.end(),
                   [](auto& a, auto& b) { return a.packages > b.packages; });
  return out;
}

} // namespace package_index
