#include <holdfast/store/detail/issue_list.hpp>

#include <holdfast/store/detail/shown.hpp>

#include <algorithm>

namespace holdfast::detail {

namespace {

std::string joined(std::string path, std::string_view field) {
  if (!path.empty() && !field.empty() && field.front() != '[')
    path += '.';
  return path.append(field);
}

} // namespace

std::string issue_list::scope::path() const {
  auto before = outer_ ? outer_->path() : std::string{};
  return joined(std::move(before),
                is_item_ ? "[" + std::to_string(position_) + "]" : std::string(field_));
}

void issue_list::add(std::string_view field, std::string_view code, std::string_view what) {
  if (++count_ > most_)
    return;
  auto message = shown_place(bucket_);
  auto path = joined(innermost_ ? innermost_->path() : std::string{}, field);
  if (!path.empty())
    message += "." + shown_place(path);
  message += ": " + std::string(what);
  all_.push_back({std::move(path), std::string(code), std::move(message)});
}

void issue_list::add(const std::vector<issue>& more) {
  count_ += more.size();
  auto room = most_ - all_.size();
  auto end = more.begin() + static_cast<std::ptrdiff_t>(std::min(room, more.size()));
  all_.insert(all_.end(), more.begin(), end);
}

std::optional<error> issue_list::as_error(errc code) const {
  if (all_.empty())
    return {};
  location where{.bucket = std::string(bucket_), .key = {}, .field = {}};
  if (all_.size() == 1) {
    where.field = all_[0].field;
    return error(code, all_[0].message, std::move(where), all_);
  }
  auto message = shown_place(bucket_) + ": " + std::to_string(count_) + " violations";
  if (count_ > all_.size())
    message += ", of which the first " + std::to_string(all_.size()) + " are listed";
  return error(code, std::move(message), std::move(where), all_);
}

} // namespace holdfast::detail
