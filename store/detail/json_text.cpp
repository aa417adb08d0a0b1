#include <holdfast/store/detail/json_text.hpp>

#include <holdfast/store/detail/shown.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::detail {

namespace {

using json = nlohmann::json;

/// Builds a value from the parser's events, and ends the parse at the first thing that is wrong.
class builder {
public:
  builder(std::string_view text, std::string_view subject, const json_limits& limits)
      : text_{text}, subject_{subject}, limits_{limits} {}

  result<value> take() {
    if (problem_.empty())
      return std::move(root_);
    return fail(errc::invalid_argument, path() + ": " + problem_);
  }

  bool null() { return add({}); }
  bool boolean(bool x) { return add(x); }
  bool number_integer(std::int64_t x) { return add(x); }
  bool number_unsigned(std::uint64_t x) {
    return add(std::in_range<std::int64_t>(x) ? value(x) : value(static_cast<double>(x)));
  }
  bool number_float(double x, const std::string&) { return add(x); }
  bool string(std::string& x) { return add(std::move(x)); }
  bool binary(json::binary_t&) { return refuse("binary data is no JSON"); }

  bool start_object(std::size_t) { return open(object{}); }
  bool start_array(std::size_t) { return open(array{}); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& name) {
    auto& at = open_.back();
    at.name = std::move(name);
    if (at.is_known(at.name))
      return refuse("the name is given twice");
    return true;
  }
  template <class Error>
  bool parse_error(std::size_t position, const std::string&, const Error& why) {
    open_.clear();
    std::string_view text = why.what(); // [json.exception...] parse error at ...: what is wrong
    if (auto from = text.find(": "); from != text.npos)
      text.remove_prefix(from + 2);
    constexpr std::size_t most_shown = 300; // it quotes what it stands at, of any length
    return refuse("malformed JSON at " + place(position) + ": " +
                  shortened(std::string{text}, most_shown));
  }

private:
  struct level {
    value content;
    std::string name; ///< of the member at hand
    /// Those of a large object, which would be long to look through. Not hashed: the text may have
    /// been made so that all of them collide.
    std::set<std::string, std::less<>> names = {};

    bool is_known(std::string_view one) {
      constexpr std::size_t few = 32;
      const auto& members = content.as_object();
      if (members.size() < few)
        return members.contains(one);
      if (names.empty())
        for (const auto& m : members)
          names.insert(m.name);
      return !names.emplace(one).second;
    }
  };

  bool refuse(std::string what) {
    problem_ = std::move(what);
    return false;
  }

  /// Where an editor shows the byte, counted from 1.
  std::string place(std::size_t position) const {
    auto before = text_.substr(0, position == 0 ? 0 : position - 1);
    auto line = 1 + std::ranges::count(before, '\n');
    auto column = before.size() - (before.rfind('\n') + 1); // npos + 1 is 0
    return "line " + std::to_string(line) + ", column " + std::to_string(column + 1);
  }

  std::string path() const {
    std::string out = subject_;
    for (const auto& at : open_)
      out = at.content.kind() == value_kind::object ? place_in(out, at.name)
                                                    : place_in(out, at.content.as_array().size());
    return out;
  }

  bool add(value x) {
    if (++count_ > limits_.values)
      return refuse("more values than the limit " + std::to_string(limits_.values));
    put(std::move(x));
    return true;
  }

  void put(value x) {
    if (open_.empty())
      root_ = std::move(x);
    else if (auto& at = open_.back(); at.content.kind() == value_kind::object)
      at.content.as_object().append(std::move(at.name), std::move(x));
    else
      at.content.as_array().push_back(std::move(x));
  }

  bool open(value empty) {
    if (++count_ > limits_.values)
      return refuse("more values than the limit " + std::to_string(limits_.values));
    if (const auto most = std::min(limits_.depth, json_limits::most_depth); open_.size() >= most)
      return refuse("deeper than the limit " + std::to_string(most));
    open_.push_back({std::move(empty), {}});
    return true;
  }

  bool close() {
    auto done = std::move(open_.back().content);
    open_.pop_back();
    put(std::move(done));
    return true;
  }

  std::string_view text_;
  std::string subject_;
  const json_limits& limits_;
  value root_;
  std::vector<level> open_;
  std::size_t count_ = 0;
  std::string problem_;
};

void print_text(std::string& out, std::string_view text) {
  out += json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

void print_real(std::string& out, double x) {
  constexpr auto most = std::numeric_limits<double>::max();
  if (std::isnan(x))
    out += "\"nan\"";
  else
    out += value(std::clamp(x, -most, most)).to_string();
}

void print(std::string& out, value_view v) {
  switch (v.kind()) {
  case value_kind::null:
  case value_kind::boolean:
  case value_kind::integer:
    out += v.to_string();
    return;
  case value_kind::real:
    return print_real(out, v.as_double());
  case value_kind::string:
    return print_text(out, v.as_string());
  case value_kind::array: {
    const char* separator = "";
    out += '[';
    for (auto item : v.items()) {
      out += std::exchange(separator, ",");
      print(out, item);
    }
    out += ']';
    return;
  }
  case value_kind::object: {
    const char* separator = "";
    out += '{';
    for (auto [name, content] : v.members()) {
      out += std::exchange(separator, ",");
      print_text(out, name);
      out += ':';
      print(out, content);
    }
    out += '}';
    return;
  }
  }
}

} // namespace

result<value> parse_json(std::string_view text, std::string_view subject,
                         const json_limits& within) {
  if (text.size() > within.bytes)
    return fail(errc::invalid_argument, std::string{subject} + ": " + std::to_string(text.size()) +
                                            " bytes are above the limit " +
                                            std::to_string(within.bytes));
  // The parser would take it for the end of the text, whatever is behind it.
  if (auto at = text.find('\0'); at != text.npos)
    return fail(errc::invalid_argument, std::string{subject} + ": malformed JSON: byte " +
                                            std::to_string(at + 1) + " is NUL");
  builder out{text, subject, within};
  json::sax_parse(text, &out);
  return out.take();
}

std::string print_json(value_view v) {
  std::string out;
  print(out, v);
  return out;
}

} // namespace holdfast::detail
