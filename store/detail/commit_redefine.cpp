// A change of a bucket's definition as a commit.
#include <holdfast/store/detail/commit_journal.hpp>
#include <holdfast/store/detail/commit_scope.hpp>

#include <holdfast/store/codec.hpp>
#include <holdfast/store/detail/stored_form.hpp>
#include <holdfast/store/detail/validation.hpp>
#include <holdfast/store/detail/validation_check.hpp>
#include <holdfast/store/record_input.hpp>

#include <algorithm>
#include <exception>

namespace holdfast::detail {
namespace {

/// Carries records over into another layout, one after the other.
class carrier {
public:
  carrier(bucket_core& b, generation& into, const backfill& fill, timestamp now)
      : from_{b.schema().layout().size()}, into_{into}, fill_{fill}, now_{now} {}

  /// The record in the new layout, in the new generation's memory.
  result<record_block*> carry(record_block& old) {
    auto& schema = *into_.schema;
    auto as_it_was = record::share(&old);
    draft input{schema};
    // One whose deadline has come, and that nothing has purged yet, is gone for everybody: it only
    // has to fit. What it has outside the schema need not.
    const auto ended = has_ended(old);
    for (auto [name, content] : as_it_was)
      if (!ended || !is_new(name))
        input.set(name, content);
    issue_list found{schema.bucket(), schema.limits().issues};
    auto filled = !ended && fill_in(input, as_it_was, found);
    for (auto& fault : input.faults())
      found.add({fault});
    if (!ended)
      check_count(input, from_ + extra_of(old).size(), found);
    if (auto wrong = found.as_error(errc::invalid))
      return fail(wrong->at({.bucket = schema.bucket(), .key = as_it_was.key().to_string()}));
    input.drop_nulls();
    input.compact();
    auto* made =
        build(into_.data.memory().allocate(block_size(input)), input, now_, old.expires_at);
    made->created_at = old.created_at;
    made->updated_at = filled ? now_.time_since_epoch().count() : old.updated_at;
    made->version = old.version + (filled ? 1 : 0);
    made->row = old.row;
    made->hash = old.hash;
    changed_ = changed_ || filled;
    return made;
  }
  bool changed() const noexcept { return changed_; }
  bool has_ended(const record_block& old) const noexcept {
    return expired(old, now_.time_since_epoch().count());
  }
  static bool is_changed(const record_block& old, const record_block& made) noexcept {
    return made.version != old.version;
  }

private:
  /// A record that is above a limit already stays, but does not grow.
  static void check_count(const draft& input, std::size_t before, issue_list& found) {
    const auto& schema = input.schema();
    const auto count = schema.layout().size() + input.extra_count();
    if (count > schema.limits().fields && count > before)
      found.add("", "fields",
                std::to_string(count) + " fields are above the limit " +
                    std::to_string(schema.limits().fields));
  }
  bool is_new(std::string_view name) const noexcept {
    const auto slot = into_.schema->layout().find(name);
    return slot != record_layout::npos && slot >= from_;
  }
  /// Gives the new fields their values and checks them; whether the record has any of them.
  bool fill_in(draft& input, const record& old, issue_list& found) {
    auto& rules = into_.schema->rules();
    auto any = false;
    for (auto slot = from_; slot < rules.size(); ++slot) {
      auto& rule = rules[slot];
      if (!input.given(slot))
        if (auto made = content_for(rule, old, found); !made.is_null())
          input.set(slot, made);
      if (to_be_converted(rule, input.field(slot)))
        input.set(slot, converted(rule, input.field(slot)));
      if (rule.options->references && !input.field(slot).is_null())
        found.add(rule.name, "references", "a new reference begins as null in existing records");
      any = any || !input.field(slot).is_null();
    }
    const record_input whole{input, nullptr, now_};
    for (auto slot = from_; slot < rules.size(); ++slot)
      check_field(rules[slot], input.field(slot), found, &whole);
    if (any)
      check_by_function(into_.schema->definition(), whole, found);
    return any;
  }

  value content_for(const field_rule& rule, const record& old, issue_list& found) {
    try {
      if (auto fill = fill_.find(rule.name); fill != fill_.end())
        return fill->second(old);
      return rule.options->default_function ? rule.options->default_function() : rule.default_value;
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& e) {
      found.add(rule.name, "default", "what fills it in threw: " + std::string(e.what()));
    } catch (...) {
      found.add(rule.name, "default", "what fills it in threw something unknown");
    }
    return {};
  }

  std::size_t from_; ///< the first new slot
  generation& into_;
  const backfill& fill_;
  timestamp now_;
  bool changed_ = false;
};

/// The first value that two records have in a unique index.
std::optional<error> twice(const compiled_schema& schema,
                           const std::vector<record_block*>& blocks) {
  std::vector<std::pair<key_view, record_block*>> values;
  for (auto& index : schema.indexes()) {
    if (index.type != index_type::unique)
      continue;
    values.clear();
    auto slot = static_cast<std::uint32_t>(index.slot);
    for (auto* b : blocks)
      if (auto v = key_view::of(*b, slot); v.tag != slot_tag::null)
        values.emplace_back(v, b);
    auto less = [](auto& x, auto& y) { return compare(x.first, y.first) < 0; };
    std::ranges::sort(values, less);
    auto same = std::ranges::adjacent_find(
        values, [](auto& x, auto& y) { return compare(x.first, y.first) == 0; });
    if (same == values.end())
      continue;
    auto& name = schema.layout().name(index.slot);
    auto v = view_of(*same->second, slot);
    return error{errc::duplicate,
                 schema.bucket() + "." + name + ": " + shown(v) + " is a value of two records",
                 {schema.bucket(), key_of(*same->second).to_string(), name},
                 duplicate_value{name, v.to_string()}};
  }
  return std::nullopt;
}

} // namespace

result<void> commit_scope::redefine(bucket_core& b, std::shared_ptr<const compiled_schema> next,
                                    const backfill& fill) {
  touch(b);
  auto made = b.make_generation(next);
  carrier over{b, *made, fill, now_};
  std::vector<record_block*> blocks;
  blocks.reserve(b.data().live_count());
  std::uint64_t ended = 0;
  std::vector<std::pair<record_block*, record_block*>> changes;
  std::optional<error> failed;
  b.data().each_head(0, [&](record_block& old) {
    auto carried = over.carry(old);
    if (!carried) {
      failed = std::move(carried.error());
      return false;
    }
    blocks.push_back(*carried);
    ended += over.has_ended(old) ? 1 : 0;
    if (carrier::is_changed(old, **carried))
      changes.emplace_back(&old, *carried);
    return true;
  });
  if (!failed)
    failed = twice(*next, blocks);
  if (failed) {
    for (auto* block : blocks)
      drop_block(made->data.memory(), block);
    return fail(std::move(*failed));
  }
  made->data.load(blocks, 0);
  made->data.begin_rows_at(b.data().next_row());
  if (b.durable()) {
    into_.put(bucket_prefix('c', b.id()), codec::encode_schema(next->definition()));
    if (over.changed() || next->layout().size() != b.schema().layout().size())
      for (auto* block : blocks)
        put_record(b, into_, *block);
  }
  note(b, change_kind::redefined, cause::schema, nullptr, nullptr, blocks.size() - ended);
  for (auto& [old, fresh] : changes)
    note(b, change_kind::updated, cause::schema, old, fresh);
  b.propose(std::move(made));
  return {};
}

} // namespace holdfast::detail
