#include <holdfast/store/detail/group.hpp>

#include <holdfast/store/detail/adder.hpp>
#include <holdfast/store/detail/aggregate.hpp>
#include <holdfast/store/detail/execute.hpp>

#include <algorithm>
#include <bit>
#include <numeric>
#include <vector>

namespace holdfast {

std::string_view to_string(aggregate::function what) noexcept {
  switch (what) {
  case aggregate::function::count:
    return "count";
  case aggregate::function::sum:
    return "sum";
  case aggregate::function::avg:
    return "avg";
  case aggregate::function::min:
    return "min";
  case aggregate::function::max:
    return "max";
  }
  return "?";
}

} // namespace holdfast

namespace holdfast::detail {

namespace {

using function = aggregate::function;

/// One aggregate with its field found.
struct column {
  function what = function::count;
  bool has_field = false;
  bound_order field; ///< descending for `max`
};

/// What a column knows of a group so far. Views are into records, the pin keeps them.
struct tally {
  std::uint64_t count = 0;
  adder numbers;
  ordered_item best; ///< no block: none yet
};

/// The groups found so far: an open hash table of their numbers over flat lists, with a fixed
/// number of keys and tallies per group.
class group_table {
public:
  /// `order` is the bucket's own.
  group_table(std::vector<bound_field> keys, std::vector<column> columns, const order_spec& order)
      : keys_{std::move(keys)}, columns_{std::move(columns)}, own_{order}, by_row_{order.by_row()},
        looked_up_(keys_.size()), table_(least_table, free) {
    if (keys_.empty())
      tallies_.resize(columns_.size());
  }

  void add(const record_block& block) {
    std::size_t at = keys_.empty() ? 0 : group_of(block);
    for (std::size_t i = 0; i < columns_.size(); ++i)
      count(columns_[i], tallies_[at * columns_.size() + i], block);
  }

  /// In the order of their first records.
  groups take() const {
    if (keys_.empty())
      return {group{{}, results(0)}};
    std::vector<std::size_t> sequence(first_.size());
    std::iota(sequence.begin(), sequence.end(), std::size_t{0});
    std::ranges::sort(sequence, [&](auto a, auto b) { return earlier(*first_[a], *first_[b]); });
    groups out;
    out.reserve(sequence.size());
    for (auto at : sequence) {
      auto& one = out.emplace_back();
      for (const auto& key : keys_)
        one.key.push_back(field_of(*first_[at], key).materialize());
      one.results = results(at);
    }
    return out;
  }

private:
  static constexpr std::uint32_t free = ~std::uint32_t{0};
  static constexpr std::size_t least_table = 256;

  bool earlier(const record_block& a, const record_block& b) const noexcept {
    return by_row_ ? a.row < b.row : own_(own_.item(a), own_.item(b));
  }

  std::size_t group_of(const record_block& block) {
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      looked_up_[i] = field_of(block, keys_[i]);
      hash = std::rotl(hash, 23) * 0x9e3779b97f4a7c15 + hash_value(looked_up_[i]);
    }
    auto mask = table_.size() - 1;
    auto place = hash & mask;
    for (; table_[place] != free; place = (place + 1) & mask) {
      std::size_t at = table_[place];
      if (hashes_[at] != hash || !has_keys(at))
        continue;
      if (earlier(block, *first_[at]))
        first_[at] = &block;
      return at;
    }
    table_[place] = static_cast<std::uint32_t>(first_.size());
    return add_group(hash, block);
  }

  bool has_keys(std::size_t at) const {
    return std::equal(looked_up_.begin(), looked_up_.end(),
                      found_.begin() + static_cast<std::ptrdiff_t>(at * keys_.size()));
  }

  std::size_t add_group(std::uint64_t hash, const record_block& block) {
    first_.push_back(&block);
    hashes_.push_back(hash);
    found_.insert(found_.end(), looked_up_.begin(), looked_up_.end());
    tallies_.resize(tallies_.size() + columns_.size());
    if (first_.size() * 2 > table_.size())
      grow();
    return first_.size() - 1;
  }

  void grow() {
    table_.assign(table_.size() * 4, free);
    for (std::size_t at = 0; at < hashes_.size(); ++at) {
      auto place = hashes_[at] & (table_.size() - 1);
      while (table_[place] != free)
        place = (place + 1) & (table_.size() - 1);
      table_[place] = static_cast<std::uint32_t>(at);
    }
  }

  static void count(const column& by, tally& to, const record_block& block) {
    switch (by.what) {
    case function::count:
      to.count += by.has_field && field_of(block, by.field.field).is_null() ? 0 : 1;
      return;
    case function::sum:
    case function::avg:
      return to.numbers.add(field_of(block, by.field.field));
    case function::min:
    case function::max: {
      item_order order{std::span{&by.field, 1}};
      auto item = order.item(block);
      if (!item.key.is_null() && (!to.best.block || order(item, to.best)))
        to.best = item;
      return;
    }
    }
  }

  std::vector<value> results(std::size_t at) const {
    std::vector<value> out;
    for (std::size_t i = 0; i < columns_.size(); ++i)
      out.push_back(result_of(columns_[i].what, tallies_[at * columns_.size() + i]));
    return out;
  }

  static value result_of(function what, const tally& from) {
    switch (what) {
    case function::count:
      return from.count;
    case function::sum:
      return from.numbers.sum();
    case function::avg:
      return from.numbers.mean();
    case function::min:
    case function::max:
      return from.best.key.materialize();
    }
    return {};
  }

  std::vector<bound_field> keys_;
  std::vector<column> columns_;
  item_order own_;
  bool by_row_;
  std::vector<value_view> looked_up_; ///< the keys of the record at hand

  // Of each group:
  std::vector<const record_block*> first_;
  std::vector<std::uint64_t> hashes_;
  std::vector<value_view> found_;
  std::vector<tally> tallies_;
  std::vector<std::uint32_t> table_;
};

result<column> bind_column(const record_layout& layout, const aggregate& what) {
  if (what.what > function::max)
    return fail(errc::invalid_argument,
                layout.bucket() + ": the aggregate " + std::to_string(static_cast<int>(what.what)) +
                    " is none of those that there are",
                {layout.bucket(), {}, {}});
  column out{what.what, !what.field.empty(), {{}, what.what == function::max}};
  if (what.what == function::count && !out.has_field)
    return out;
  bool adds = what.what == function::sum || what.what == function::avg;
  auto field = adds                           ? find_numbers(layout, what.field)
               : what.what == function::count ? find_field(layout, what.field)
                                              : find_ordered(layout, what.field);
  if (!field)
    return fail(std::move(field.error()));
  out.field.field = *field;
  return out;
}

} // namespace

result<groups> group_by(const reader& from, const query& q, std::span<const field_name> keys,
                        std::span<const aggregate> what, std::int64_t now) {
  const auto& layout = from.layout();
  const auto most = layout.limits().group_fields;
  if (auto n = std::max(keys.size(), what.size()); n > most)
    return fail(errc::invalid_argument,
                layout.bucket() + ": group_by " + std::to_string(n) +
                    " fields is above the limit " + std::to_string(most),
                {layout.bucket(), {}, {}});
  std::vector<bound_field> fields;
  for (const auto& key : keys) {
    auto field = find_field(layout, key.text);
    if (!field)
      return fail(std::move(field.error()));
    fields.push_back(*field);
  }
  std::vector<column> columns;
  for (const auto& one : what) {
    auto bound = bind_column(layout, one);
    if (!bound)
      return fail(std::move(bound.error()));
    columns.push_back(*bound);
  }
  auto own = bind_order(from, {});
  if (!own)
    return fail(std::move(own.error()));
  group_table table{std::move(fields), std::move(columns), *own};
  auto done = each_of_query(from, q, now, [&](const record_block& block) { table.add(block); });
  if (!done)
    return fail(std::move(done.error()));
  return table.take();
}

} // namespace holdfast::detail
