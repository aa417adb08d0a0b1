#include <holdfast/store/record.hpp>

#include <ostream>

namespace holdfast {

value_view record::operator[](std::string_view name) const noexcept {
  auto slot = block_->layout->find(name);
  if (slot != detail::record_layout::npos)
    return field(slot);
  return detail::extra_of(*block_)[name];
}

record::iterator::iterator(const detail::record_block* block) noexcept : block_(block) {
  if (!block_)
    return;
  extra_ = detail::extra_of(*block_).members().begin();
  find_next();
}

void record::iterator::find_next() noexcept {
  auto& layout = *block_->layout;
  for (; slot_ < layout.size(); ++slot_) {
    current_ = {layout.name(slot_), detail::view_of(*block_, slot_)};
    if (!current_.content.is_null())
      return;
  }
  if (extra_ == std::default_sentinel) {
    block_ = nullptr;
    return;
  }
  current_ = *extra_;
  ++extra_;
}

object record::to_object() const {
  object copy;
  for (auto [name, content] : *this)
    copy.set(name, content.materialize());
  return copy;
}

std::string record::to_string() const {
  return block_ ? value(to_object()).to_string() : std::string("null");
}

std::ostream& operator<<(std::ostream& out, const record& r) { return out << r.to_string(); }

} // namespace holdfast
