#include "history_bench.hpp"

#include <utility>

namespace holdfast::testing {
namespace {

schema items_of(const std::string& name, const history_options& o) {
  auto parent = integer();
  const bool right = name == "right";
  if (right && !o.both_lines)
    parent.references("left", on_delete::cascade);
  auto out = schema(name)
                 .key("id", integer())
                 .field("n", integer())
                 .field("tag", string().unique())
                 .field("list", string())
                 .index("n");
  return right ? out.field("parent", parent).persistent(!o.both_lines) : out;
}

schema log_named(const std::string& name) { return schema(name).key("id", integer()); }

} // namespace

std::string text_of(const record& r) {
  return r.key().to_string() + ":" + r["n"].to_string() + ":" + r["tag"].to_string() + ":" +
         r["list"].to_string() + ":" + r["parent"].to_string();
}

std::string text_of(const records& list) {
  std::string out;
  for (auto& r : list)
    out += text_of(r) + "\n";
  return out;
}

bench::bench(const history_options& o)
    : persistent{o.persistent}, both_lines{o.both_lines}, deadlines{o.deadlines}, db{start(o)},
      left{define(items_of("left", o))}, right{define(items_of("right", o))}, log{define(log_named(
                                                                                  "log"))},
      log_in_memory{define(log_named("log_in_memory").persistent(false))} {}

store bench::start(const history_options& o) {
  store_options options;
  if (o.deadlines) {
    options.ttl_interval = std::chrono::milliseconds{0};
    options.runtime_settings.clock = &time;
  }
  options.restart_budget = 1'000'000'000;
  options.runtime_settings.deterministic = o.deterministic;
  if (o.persistent) {
    options.journal = memory_journal(disk);
    options.durability = durability::group;
  }
  auto made = std::move(*store::start(std::move(options)));
  made.runtime_in_use().log().redirect(nullptr, log_level::off);
  return made;
}

moment bench::commit_of(std::int64_t id) const {
  moment out;
  if (auto noted = log.get(id).get())
    (persistent ? out.durable : out.memory) = noted->block()->birth.load();
  if (both_lines)
    if (auto noted = log_in_memory.get(id).get())
      out.memory = noted->block()->birth.load();
  return out;
}

} // namespace holdfast::testing
