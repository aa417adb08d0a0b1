#pragma once

#include <holdfast/runtime/topic.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace holdfast {

/// Finds all patterns that a topic matches, in time that depends on the topic's length and on how
/// many match, not on how many patterns there are.
///
/// A tree by segments: each node has children by text, one for `*`, and values whose pattern ends
/// here, exactly or with `**`. Not thread-safe.
template <class T>
class topic_tree {
public:
  /// O(length). A pattern may have any number of values, equal ones included.
  void insert(const topic_pattern& pattern, T value) {
    auto segments = pattern.segments();
    auto open = segments.back() == "**";
    if (open)
      segments.pop_back();
    auto* at = &root_;
    for (auto segment : segments)
      at = &at->below(segment);
    (open ? at->open : at->exact).push_back(std::move(value));
    ++size_;
  }

  /// Removes one value equal to this under the pattern; false if there is none.
  bool erase(const topic_pattern& pattern, const T& value) {
    auto segments = pattern.segments();
    auto open = segments.back() == "**";
    if (open)
      segments.pop_back();
    auto erased = root_.erase(segments, open, value);
    size_ -= erased ? 1 : 0;
    return erased;
  }

  /// Calls `f(const T&)` for each value of each pattern that matches, in no particular order. `f`
  /// must not change the tree.
  template <class F>
  void match(const topic& t, F f) const {
    auto segments = t.segments();
    root_.match(segments, f);
  }

  /// Calls `f(const T&)` for each value, in no particular order. `f` must not change the tree.
  template <class F>
  void each(F f) const {
    root_.each(f);
  }

  std::size_t size() const { return size_; }

private:
  using path = std::span<const std::string_view>;

  struct node {
    std::map<std::string, node, std::less<>> named;
    std::unique_ptr<node> any; ///< `*`
    std::vector<T> exact;
    std::vector<T> open; ///< `**`

    bool empty() const { return named.empty() && !any && exact.empty() && open.empty(); }

    node& below(std::string_view segment) {
      if (segment == "*") {
        if (!any)
          any = std::make_unique<node>();
        return *any;
      }
      auto it = named.find(segment);
      return it != named.end() ? it->second : named[std::string{segment}];
    }

    bool erase(path rest, bool with_open, const T& value) {
      if (rest.empty()) {
        auto& values = with_open ? open : exact;
        for (auto it = values.begin(); it != values.end(); ++it) {
          if (*it == value) {
            values.erase(it);
            return true;
          }
        }
        return false;
      }
      if (rest.front() == "*") {
        auto erased = any && any->erase(rest.subspan(1), with_open, value);
        if (any && any->empty())
          any.reset();
        return erased;
      }
      auto it = named.find(rest.front());
      if (it == named.end())
        return false;
      auto erased = it->second.erase(rest.subspan(1), with_open, value);
      if (it->second.empty())
        named.erase(it);
      return erased;
    }

    template <class F>
    void each(F& f) const {
      for (auto& value : open)
        f(value);
      for (auto& value : exact)
        f(value);
      for (auto& [segment, further] : named)
        further.each(f);
      if (any)
        any->each(f);
    }

    template <class F>
    void match(path rest, F& f) const {
      for (auto& value : open)
        f(value);
      if (rest.empty()) {
        for (auto& value : exact)
          f(value);
        return;
      }
      if (auto it = named.find(rest.front()); it != named.end())
        it->second.match(rest.subspan(1), f);
      if (any)
        any->match(rest.subspan(1), f);
    }
  };

  node root_;
  std::size_t size_ = 0;
};

} // namespace holdfast
