#include <holdfast/store/detail/sealed_commit.hpp>

namespace holdfast {

std::string_view to_string(durability level) noexcept {
  switch (level) {
  case durability::sync:
    return "sync";
  case durability::group:
    return "group";
  case durability::async:
    return "async";
  case durability::none:
    return "none";
  }
  return "unknown";
}

namespace detail {

void sealed_commit::add(journal_put::kind what, std::string_view key, std::string_view value) {
  auto at = static_cast<std::uint32_t>(bytes_.size());
  bytes_.append(key).append(value);
  auto mid = static_cast<std::uint32_t>(at + key.size());
  spans_.push_back({what, at, mid, static_cast<std::uint32_t>(bytes_.size())});
}

void sealed_commit::begin_put(std::string_view key) {
  auto at = static_cast<std::uint32_t>(bytes_.size());
  bytes_.append(key);
  spans_.push_back({journal_put::kind::put, at, static_cast<std::uint32_t>(bytes_.size()), 0});
}

void sealed_commit::end_put() { spans_.back().end = static_cast<std::uint32_t>(bytes_.size()); }

void sealed_commit::append_to(std::vector<journal_put>& out) const {
  std::string_view all{bytes_};
  for (auto& s : spans_)
    out.push_back(
        {s.what, all.substr(s.key, s.value - s.key), all.substr(s.value, s.end - s.value)});
}

void commit_queue::push(sealed_commit* c) noexcept {
  c->next_ = nullptr;
  (last_ ? last_->next_ : first_) = c;
  last_ = c;
  ++size_;
  byte_count_ += c->byte_count();
}

sealed_commit* commit_queue::pop() noexcept {
  auto* c = first_;
  if (!c)
    return nullptr;
  first_ = c->next_;
  if (!first_)
    last_ = nullptr;
  --size_;
  byte_count_ -= c->byte_count();
  return c;
}

void commit_queue::take(commit_queue& from, std::size_t max_commits,
                        std::size_t max_bytes) noexcept {
  while (!from.empty() && size_ < max_commits && byte_count_ < max_bytes)
    push(from.pop());
}

} // namespace detail
} // namespace holdfast
