#include <holdfast/store/detail/validation.hpp>

#include <holdfast/store/detail/formats.hpp>
#include <holdfast/store/detail/stored_form.hpp>
#include <holdfast/store/detail/validation_check.hpp>
#include <holdfast/store/record_input.hpp>

#include <exception>

namespace holdfast::detail {

namespace {

/// One value as default; a violation if the user's function throws.
void fill_default(draft& input, const field_rule& rule, std::size_t slot, issue_list& found) {
  if (!rule.options->default_function) {
    if (!rule.default_value.is_null())
      input.set(slot, rule.default_value);
    return;
  }
  try {
    value made = rule.options->default_function();
    if (!made.is_null())
      input.set(slot, made);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& e) {
    found.add(rule.name, "default", "the default function threw: " + std::string(e.what()));
  } catch (...) {
    found.add(rule.name, "default", "the default function threw something unknown");
  }
}

void fill(draft& input, generator& from, timestamp now, std::size_t slot, issue_list& found) {
  auto& rule = input.schema().rules()[slot];
  auto now_ms = [&] {
    return std::chrono::floor<std::chrono::milliseconds>(now).time_since_epoch().count();
  };
  std::int64_t number = 0;
  switch (rule.options->generated) {
  case generated_by::uuid:
    from.write_uuid(input.set_text(slot, generator::uuid_size));
    return;
  case generated_by::cuid:
    from.write_cuid(input.set_text(slot, generator::cuid_size), now_ms());
    return;
  case generated_by::autoincrement:
    if (from.next(number))
      input.set(slot, number);
    else
      found.add(rule.name, "generated", "the autoincrement counter is exhausted");
    return;
  case generated_by::insertion_time:
    input.set(slot, now_ms());
    return;
  case generated_by::nothing:
    fill_default(input, rule, slot, found);
    return;
  }
}

/// Names and values of the fields outside the schema. A name that no new field may have is good for
/// a null that removes one: `removes(name)`.
template <class F>
void check_extra(const draft& input, issue_list& found, F removes) {
  if (input.extra_count() == 0)
    return;
  const auto closed = input.schema().definition().is_closed();
  for (auto m : input.extra_members().members()) {
    const auto fault = closed ? std::string{} : field_name_fault(m.name);
    if ((closed || !fault.empty()) && m.content.is_null() && removes(m.name))
      continue;
    if (closed)
      found.add(is_utf8(m.name) ? m.name : "", "unknown", "the schema has no such field");
    else if (!fault.empty())
      found.add(is_utf8(m.name) ? m.name : "", "name", "a field's name " + fault);
    else
      check_content(m.name, m.content, found);
  }
}

void check_count(const draft& input, std::size_t extra_fields, issue_list& found) {
  if (input.is_full())
    return; // one of its faults
  auto count = input.schema().layout().size() + extra_fields;
  if (count > input.schema().limits().fields)
    found.add("", "fields",
              std::to_string(count) + " fields are above the limit " +
                  std::to_string(input.schema().limits().fields));
}

void convert_nested(draft& input) {
  auto& schema = input.schema();
  for (auto slot : schema.converted_slots())
    if (auto& rule = schema.rules()[slot];
        input.given(slot) && to_be_converted(rule, input.field(slot)))
      input.set(slot, converted(rule, input.field(slot)));
}

/// What an update leaves as it is may no longer fit what it changes: the user's own checks of all
/// other fields, then of the record.
void check_unchanged(const draft& changes, const record_input& whole, issue_list& found) {
  auto& schema = changes.schema();
  for (std::size_t i = 0, n = schema.rules().size(); i < n; ++i)
    if (!changes.given(i))
      check_by_functions(schema.rules()[i], whole.field(i), whole, found);
  check_by_function(schema.definition(), whole, found);
}

/// An update's result may be too large though each of its values is not. It is made only if the
/// sums, in which what is replaced or removed counts twice, say so.
void check_result(const record_block& old, const draft& changes, issue_list& found) {
  auto& schema = changes.schema();
  auto& limits = schema.limits();
  const auto bytes = std::size_t{old.bytes} + changes.tail_size() + changes.extra().size();
  const auto extra = changes.extra_count();
  const auto fields = extra == 0 ? 0 : schema.layout().size() + extra + extra_of(old).size();
  if (bytes <= limits.record_bytes && fields <= limits.fields) [[likely]]
    return;
  const auto made = plan_update(old, changes);
  if (fields > limits.fields && !made.extra.empty())
    check_count(changes, decode_value(made.extra).size(), found);
  if (made.bytes > limits.record_bytes)
    found.add("", "size",
              "the record's " + std::to_string(made.bytes) + " bytes are above the limit " +
                  std::to_string(limits.record_bytes));
}

} // namespace

std::optional<error> complete(draft& input, generator& from, timestamp now) {
  auto& schema = input.schema();
  issue_list found(schema.bucket(), schema.limits().issues);
  for (auto slot : schema.filled_slots()) {
    if (!input.given(slot))
      fill(input, from, now, slot, found);
    else if (schema.rules()[slot].options->generated == generated_by::autoincrement)
      if (auto number = input.field(slot).if_int())
        from.explicit_number(*number);
  }
  convert_nested(input);
  input.drop_nulls();
  input.compact();
  return found.as_error(errc::invalid);
}

std::optional<error> check_insert(const draft& input, timestamp now) {
  auto& schema = input.schema();
  const record_input record{input, nullptr, now};
  auto* whole = schema.has_validators() ? &record : nullptr;
  issue_list found(schema.bucket(), schema.limits().issues);
  if (!input.faults().empty())
    found.add(input.faults());
  auto* rule = schema.rules().data();
  auto* slots = input.slots();
  auto* tail = input.tail();
  for (std::size_t i = 0, n = schema.rules().size(); i < n; ++i)
    check_field(rule[i], view_of(slots[i], tail), found, whole);
  if (input.extra_count() != 0) {
    check_extra(input, found, [](std::string_view) { return false; });
    check_count(input, input.extra_count(), found);
  }
  if (whole)
    check_by_function(schema.definition(), *whole, found);
  return found.as_error(errc::invalid);
}

std::optional<error> check_changes(draft& changes) {
  auto& schema = changes.schema();
  convert_nested(changes);
  issue_list found(schema.bucket(), schema.limits().issues);
  found.add(changes.faults());
  for (std::size_t i = 0, n = schema.rules().size(); i < n; ++i) {
    if (!changes.given(i))
      continue;
    if (auto& rule = schema.rules()[i]; rule.fixed)
      found.add(rule.name, "immutable",
                "no update of many can set it to " + shown(changes.field(i)));
    else
      check_field(rule, changes.field(i), found);
  }
  // Some record may have a field that is left from another schema.
  check_extra(changes, found, [](std::string_view name) { return field_name_fault(name).empty(); });
  return found.as_error(errc::invalid);
}

std::optional<error> check_update(const record_block& old, draft& changes, timestamp now) {
  auto& schema = changes.schema();
  convert_nested(changes);
  const record_input record{changes, &old, now};
  auto* whole = schema.has_validators() ? &record : nullptr;
  issue_list found(schema.bucket(), schema.limits().issues);
  found.add(changes.faults());
  for (std::size_t i = 0, n = schema.rules().size(); i < n; ++i) {
    if (!changes.given(i))
      continue;
    auto& rule = schema.rules()[i];
    if (!rule.fixed)
      check_field(rule, changes.field(i), found, whole);
    else if (changes.field(i) == view_of(old, i))
      changes.unset(i);
    else
      found.add(rule.name, "immutable",
                shown(view_of(old, i)) + " cannot change to " + shown(changes.field(i)));
  }
  check_extra(changes, found,
              [&](std::string_view name) { return !extra_of(old)[name].is_null(); });
  changes.compact();
  check_result(old, changes, found);
  if (whole)
    check_unchanged(changes, *whole, found);
  return found.as_error(errc::invalid);
}

} // namespace holdfast::detail
