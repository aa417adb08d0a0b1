#include <holdfast/store/draft.hpp>

#include <holdfast/store/detail/issue_list.hpp>
#include <holdfast/store/detail/name_fault.hpp>
#include <holdfast/store/detail/stored_form.hpp>
#include <holdfast/store/detail/validation_rules.hpp>

#include <cstring>
#include <utility>

namespace holdfast {

namespace {
using detail::limits;
using detail::slot;
using detail::slot_tag;
constexpr std::size_t short_text_bytes = 14;
constexpr std::size_t count_bytes = 4; ///< what an object's body begins with
} // namespace

draft::draft(const compiled_schema& schema)
    : schema_(&schema),
      slots_bytes_(static_cast<std::uint32_t>(schema.layout().size() * sizeof(slot))) {
  if (slots_bytes_ > inline_bytes) {
    heap_ = std::make_unique_for_overwrite<char[]>(slots_bytes_ + inline_bytes);
    data_ = heap_.get();
    capacity_ = slots_bytes_ + static_cast<std::uint32_t>(inline_bytes);
  }
  std::memset(data_, 0, slots_bytes_);
}

draft::draft(const compiled_schema& schema, std::span<const field_input> fields) : draft(schema) {
  auto& layout = schema.layout();
  std::size_t guess = 0;
  for (auto& f : fields) {
    auto at = layout.find(f.name, guess);
    if (at == detail::record_layout::npos) {
      set_extra(f.name, f.content);
    } else {
      set(at, f.content);
      guess = at + 1;
    }
  }
}

draft::draft(const compiled_schema& schema, const object& fields) : draft(schema) {
  for (auto& m : fields)
    set(m.name, m.content);
}

draft draft::rebound(const compiled_schema& to) const {
  if (&to == schema_)
    return copy();
  draft out{to};
  auto& layout = schema_->layout();
  for (std::size_t i = 0; i < layout.size(); ++i)
    if (given(i))
      out.set(layout.name(i), field(i));
  for (auto m : extra_members().members())
    out.set(m.name, m.content);
  for (auto& f : faults()) {
    if (!out.faults_)
      out.faults_ = std::make_unique<std::vector<issue>>();
    out.faults_->push_back(f);
  }
  out.full_ = out.full_ || full_;
  return out;
}

/// Its bytes as they are: no name is looked for again.
draft draft::copy() const {
  draft out{*schema_};
  out.grow(tail_size_);
  std::memcpy(out.data_, data_, slots_bytes_ + tail_size_);
  out.extra_count_ = extra_count_;
  out.loose_ = loose_;
  out.null_slots_ = null_slots_;
  out.null_extra_ = null_extra_;
  out.full_ = full_;
  out.extra_ = extra_;
  if (faults_)
    out.faults_ = std::make_unique<std::vector<issue>>(*faults_);
  return out;
}

draft::draft(draft&& other) noexcept : schema_(other.schema_), slots_bytes_(other.slots_bytes_) {
  steal(other);
}

draft& draft::operator=(draft&& other) noexcept {
  if (this != &other) {
    schema_ = other.schema_;
    slots_bytes_ = other.slots_bytes_;
    steal(other);
  }
  return *this;
}

void draft::steal(draft& other) noexcept {
  tail_size_ = other.tail_size_;
  capacity_ = other.capacity_;
  extra_count_ = other.extra_count_;
  loose_ = other.loose_;
  null_slots_ = other.null_slots_;
  null_extra_ = other.null_extra_;
  full_ = other.full_;
  heap_ = std::move(other.heap_);
  faults_ = std::move(other.faults_);
  extra_ = std::move(other.extra_);
  data_ = heap_ ? heap_.get() : inline_;
  if (!heap_)
    std::memcpy(inline_, other.inline_, slots_bytes_ + tail_size_);
}

void draft::set(std::string_view name, value_view v) {
  auto at = schema_->layout().find(name);
  if (at == detail::record_layout::npos)
    set_extra(name, v);
  else
    set(at, v);
}

void draft::set(std::size_t at, value_view v) {
  v = detail::stored_form(schema_->layout().type(at), v);
  auto& s = mutable_slots()[at];
  switch (v.kind()) {
  case value_kind::null:
    forget(s);
    s = {};
    s.size8 = given_null;
    null_slots_ = true;
    return;
  case value_kind::boolean:
  case value_kind::integer:
    forget(s);
    s = {};
    s.tag = v.kind() == value_kind::boolean ? slot_tag::boolean : slot_tag::integer;
    s.integer = v.kind() == value_kind::boolean ? *v.if_bool() : *v.if_int();
    return;
  case value_kind::real:
    forget(s);
    s = {};
    s.tag = slot_tag::real;
    s.real = *v.if_double();
    return;
  case value_kind::string: {
    auto text = v.as_string();
    if (!fits(schema_->layout().name(at), text.size()))
      return;
    if (auto* to = set_text(at, text.size()); !text.empty())
      std::memcpy(to, text.data(), text.size());
    return;
  }
  case value_kind::array:
  case value_kind::object:
    set_collection(at, v);
    return;
  }
}

char* draft::set_text(std::size_t at, std::size_t size) {
  if (size <= short_text_bytes) {
    auto& s = mutable_slots()[at];
    forget(s);
    s = {};
    s.tag = slot_tag::short_text;
    s.size8 = static_cast<std::uint8_t>(size);
    return s.text();
  }
  auto* to = grow(size);
  auto& s = mutable_slots()[at];
  forget(s);
  s = {};
  s.tag = slot_tag::text;
  s.size = static_cast<std::uint32_t>(size);
  s.offset = static_cast<std::uint64_t>(to - tail());
  return to;
}

void draft::set_collection(std::size_t at, value_view v) {
  auto& name = schema_->layout().name(at);
  auto size = measure(name, v);
  if (size == 0)
    return;
  auto* to = grow(size);
  detail::encode_value(v, to);
  auto& s = mutable_slots()[at];
  forget(s);
  s = {};
  s.tag = v.kind() == value_kind::array ? slot_tag::array : slot_tag::object;
  s.size = static_cast<std::uint32_t>(size);
  s.offset = static_cast<std::uint64_t>(to - tail());
}

/// The encoded size of a value that may be stored, else 0 after noting why not.
std::size_t draft::measure(std::string_view name, value_view v) {
  auto size = detail::encoded_size(v, schema().limits().depth);
  if (!size)
    fault(name, "depth", "nested deeper than the limit " + std::to_string(schema().limits().depth));
  else if (fits(name, *size))
    return *size;
  return 0;
}

bool draft::fits(std::string_view name, std::size_t bytes) {
  auto told = [](std::size_t size, std::size_t limit) {
    return std::to_string(size) + " bytes are above the limit " + std::to_string(limit);
  };
  if (bytes > schema().limits().value_bytes) {
    fault(name, "size", told(bytes, schema().limits().value_bytes));
    return false;
  }
  if (std::size_t{tail_size_} + extra_.size() + bytes <= schema().limits().record_bytes)
    return true;
  compact();
  auto all = std::size_t{tail_size_} + extra_.size() + bytes;
  if (all > schema().limits().record_bytes)
    fault(name, "size", "the record's " + told(all, schema().limits().record_bytes));
  return all <= schema().limits().record_bytes;
}

void draft::set_extra(std::string_view name, value_view v) {
  if (full_)
    return; // each name is looked for among the others
  if (const auto most = schema_->limits().name_bytes; name.size() > most)
    return fault("", "name",
                 "the name has " + std::to_string(name.size()) + " bytes, above the limit " +
                     std::to_string(most));
  auto size = measure(name, v);
  if (size == 0)
    return;
  auto* begin = extra_.data() + count_bytes;
  auto* end = extra_.data() + extra_.size();
  std::string_view seen;
  value_view content;
  for (const char* at = begin; at != end;) {
    auto* start = at;
    if (!detail::read_name(at, end, seen) || !detail::read_value(at, end, content))
      break;
    if (seen == name) {
      extra_.erase(static_cast<std::size_t>(start - extra_.data()),
                   static_cast<std::size_t>(at - start));
      --extra_count_;
      break;
    }
  }
  if (extra_count_ == most_extra) {
    full_ = true;
    return fault("", "fields",
                 "more than " + std::to_string(most_extra) + " fields are given, above the limit " +
                     std::to_string(schema_->limits().fields));
  }
  auto old = extra_.size();
  extra_.resize(old + detail::encoded_member_size(name, size));
  detail::encode_value(v, detail::encode_name(name, extra_.data() + old));
  ++extra_count_;
  null_extra_ = null_extra_ || v.is_null();
  std::memcpy(extra_.data(), &extra_count_, count_bytes);
}

value_view draft::extra_members() const noexcept {
  return extra_count_ == 0 ? value_view() : value_view::encoded(value_kind::object, extra_);
}

value_view draft::key() const noexcept { return field(schema_->key_slot()); }

const std::vector<issue>& draft::faults() const noexcept {
  static const std::vector<issue> none;
  return faults_ ? *faults_ : none;
}

void draft::fault(std::string_view name, std::string_view code, const std::string& what) {
  detail::issue_list one(schema_->bucket(), 1);
  one.add(name, code, what);
  if (!faults_)
    faults_ = std::make_unique<std::vector<issue>>();
  faults_->push_back(one.all().front());
}

void draft::unset(std::size_t at) noexcept {
  forget(mutable_slots()[at]);
  mutable_slots()[at] = {};
}

void draft::forget(slot& s) noexcept {
  if (s.tag >= slot_tag::text)
    loose_ = true;
}

/// Room for `bytes` more at the end of the tail, which is where it returns.
char* draft::grow(std::size_t bytes) {
  std::size_t used = slots_bytes_ + tail_size_;
  if (used + bytes > capacity_) {
    auto wanted = used + bytes + std::min<std::size_t>(used + bytes, std::size_t{1} << 20);
    auto larger = std::make_unique_for_overwrite<char[]>(wanted);
    std::memcpy(larger.get(), data_, used);
    heap_ = std::move(larger);
    data_ = heap_.get();
    capacity_ = static_cast<std::uint32_t>(wanted);
  }
  tail_size_ += static_cast<std::uint32_t>(bytes);
  return data_ + used;
}

void draft::drop_nulls() {
  if (null_slots_)
    for (std::size_t i = 0; i < schema_->layout().size(); ++i)
      if (auto& s = mutable_slots()[i]; s.tag == slot_tag::null)
        s = {};
  null_slots_ = false;
  if (!std::exchange(null_extra_, false))
    return;
  const auto closed = schema_->definition().is_closed();
  std::string kept(count_bytes, '\0');
  extra_count_ = 0;
  for (auto m : value_view::encoded(value_kind::object, extra_).members()) {
    if (m.content.is_null() && !closed && detail::field_name_fault(m.name).empty())
      continue;
    auto old = kept.size();
    kept.resize(old + detail::encoded_member_size(m.name, *detail::encoded_size(m.content)));
    detail::encode_value(m.content, detail::encode_name(m.name, kept.data() + old));
    ++extra_count_;
  }
  std::memcpy(kept.data(), &extra_count_, count_bytes);
  extra_ = std::move(kept);
}

void draft::compact() {
  if (!loose_)
    return;
  auto old = std::make_unique_for_overwrite<char[]>(tail_size_);
  std::memcpy(old.get(), tail(), tail_size_);
  tail_size_ = 0;
  for (std::size_t i = 0; i < schema_->layout().size(); ++i) {
    auto& s = mutable_slots()[i];
    if (s.tag < slot_tag::text)
      continue;
    std::memcpy(data_ + slots_bytes_ + tail_size_, old.get() + s.offset, s.size);
    s.offset = tail_size_;
    tail_size_ += s.size;
  }
  loose_ = false;
}

} // namespace holdfast
