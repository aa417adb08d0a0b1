// Values as people read them.
#include <holdfast/store/value_view.hpp>

#include <charconv>
#include <ostream>
#include <utility>

namespace holdfast {

namespace {

void print_string(std::string& out, std::string_view text) {
  constexpr char digits[] = "0123456789abcdef";
  out += '"';
  for (char c : text) {
    switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
        out += "\\u00";
        out += digits[static_cast<unsigned char>(c) >> 4];
        out += digits[static_cast<unsigned char>(c) & 15];
      } else {
        out += c;
      }
    }
  }
  out += '"';
}

void print_number(std::string& out, double number) {
  char buffer[32];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  out += text;
  if (text.find_first_not_of("-0123456789") == std::string_view::npos)
    out += ".0";
}

void print(std::string& out, value_view v) {
  switch (v.kind()) {
  case value_kind::null:
    out += "null";
    return;
  case value_kind::boolean:
    out += v.as_bool() ? "true" : "false";
    return;
  case value_kind::integer:
    out += std::to_string(v.as_int());
    return;
  case value_kind::real:
    print_number(out, v.as_double());
    return;
  case value_kind::string:
    print_string(out, v.as_string());
    return;
  case value_kind::array: {
    const char* separator = "[";
    for (auto item : v.items()) {
      out += std::exchange(separator, ", ");
      print(out, item);
    }
    out += v.size() == 0 ? "[]" : "]";
    return;
  }
  case value_kind::object: {
    const char* separator = "{";
    for (auto m : v.members()) {
      out += std::exchange(separator, ", ");
      print_string(out, m.name);
      out += ": ";
      print(out, m.content);
    }
    out += v.size() == 0 ? "{}" : "}";
    return;
  }
  }
}

} // namespace

std::string value_view::to_string() const {
  std::string out;
  print(out, *this);
  return out;
}

std::ostream& operator<<(std::ostream& out, value_view v) { return out << v.to_string(); }

} // namespace holdfast
