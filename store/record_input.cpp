#include <holdfast/store/record_input.hpp>

#include <holdfast/store/detail/record_layout.hpp>
#include <holdfast/store/detail/validation_rules.hpp>

namespace holdfast {

value_view record_input::field(std::size_t slot) const noexcept {
  if (!old_ || input_.given(slot))
    return input_.field(slot);
  return slot < old_->layout->size() ? detail::view_of(*old_, slot) : value_view{};
}

value_view record_input::key() const noexcept { return field(input_.schema().key_slot()); }

value_view record_input::operator[](std::string_view name) const noexcept {
  auto slot = input_.schema().layout().find(name);
  if (slot != detail::record_layout::npos)
    return field(slot);
  for (auto m : input_.extra_members().members())
    if (m.name == name)
      return m.content;
  return old_ ? detail::extra_of(*old_)[name] : value_view{};
}

} // namespace holdfast
