#include "control_file.hpp"

#include <algorithm>
#include <charconv>

namespace package_index {

namespace {

constexpr std::size_t max_line = std::size_t{1} << 20;

bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view s) noexcept {
  while (!s.empty() && is_blank(s.front()))
    s.remove_prefix(1);
  while (!s.empty() && is_blank(s.back()))
    s.remove_suffix(1);
  return s;
}

bool same_name(std::string_view a, std::string_view b) noexcept {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

/// deb822: printable US-ASCII but blank and ':', not beginning with '-' or '#'.
bool is_field_name(std::string_view s) noexcept {
  return !s.empty() && s.front() != '-' && s.front() != '#' &&
         std::all_of(s.begin(), s.end(), [](char c) { return c > ' ' && c < 127; });
}

/// Whether `s` is UTF-8 without control characters but tab: what a terminal and a store take.
bool is_text(std::string_view s) noexcept {
  for (std::size_t i = 0; i < s.size();) {
    auto c = static_cast<unsigned char>(s[i]);
    if (c < 0x80) {
      if ((c < 0x20 && c != '\t') || c == 0x7f)
        return false;
      ++i;
      continue;
    }
    std::size_t more = c >= 0xc2 && c < 0xe0   ? 1
                       : c >= 0xe0 && c < 0xf0 ? 2
                       : c >= 0xf0 && c < 0xf5 ? 3
                                               : 0;
    if (more == 0 || i + more >= s.size())
      return false;
    for (std::size_t k = 1; k <= more; ++k)
      if ((static_cast<unsigned char>(s[i + k]) & 0xc0) != 0x80)
        return false;
    auto second = static_cast<unsigned char>(s[i + 1]);
    if ((c == 0xe0 && second < 0xa0) || (c == 0xed && second >= 0xa0) ||
        (c == 0xf0 && second < 0x90) || (c == 0xf4 && second >= 0x90))
      return false;
    i += more + 1;
  }
  return true;
}

/// A line as an error may show it: short, and nothing a terminal would obey.
std::string shown(std::string_view line) {
  std::string out{"'"};
  for (char c : line.substr(0, 40))
    out += c >= ' ' && c < 127 ? c : '.';
  return out + (line.size() > 40 ? "...'" : "'");
}

/// "libc6 (>= 2.34), a | b" gives {libc6, a}.
std::vector<std::string> names_of(std::string_view depends) {
  std::vector<std::string> out;
  while (!depends.empty()) {
    auto comma = std::min(depends.find(','), depends.size());
    auto one = trimmed(depends.substr(0, comma));
    while (!one.empty() && one.front() == '\n')
      one = trimmed(one.substr(1));
    auto end = one.find_first_of(" \t\n(|:[<");
    if (auto name = one.substr(0, end); !name.empty())
      out.emplace_back(name);
    depends.remove_prefix(std::min(comma + 1, depends.size()));
  }
  return out;
}

} // namespace

const field* paragraph::find(std::string_view name) const noexcept {
  auto at = std::find_if(fields.begin(), fields.end(),
                         [&](const field& f) { return same_name(f.name, name); });
  return at == fields.end() ? nullptr : &*at;
}

std::string_view control_reader::take_line() {
  auto end = std::min(text_.find('\n', at_), text_.size());
  auto line = text_.substr(at_, end - at_);
  at_ = std::min(end + 1, text_.size());
  ++line_;
  if (!line.empty() && line.back() == '\r')
    line.remove_suffix(1);
  return line;
}

std::optional<paragraph> control_reader::next() {
  paragraph out;
  while (at_ < text_.size()) {
    auto line = take_line();
    if (trimmed(line).empty()) {
      skipping_ = false;
      if (!out.fields.empty())
        return out;
      continue;
    }
    if (line.front() == '#')
      continue;
    bool fine = is_blank(line.front()) ? take_continuation(line, out) : take_field(line, out);
    skipping_ = !fine;
  }
  if (out.fields.empty())
    return std::nullopt;
  return out;
}

bool control_reader::take_field(std::string_view line, paragraph& into) {
  auto refuse = [&](std::string what) {
    report(line_, std::move(what));
    return false;
  };
  if (line.size() > max_line)
    return refuse("longer than " + std::to_string(max_line) + " bytes");
  auto colon = line.find(':');
  if (colon == std::string_view::npos)
    return refuse("no ':' in " + shown(line));
  auto name = line.substr(0, colon);
  if (!is_field_name(name))
    return refuse("not a field name: " + shown(name));
  if (!is_text(line))
    return refuse("not UTF-8 text: " + shown(line));
  if (into.find(name) != nullptr)
    return refuse("field " + std::string{name} + " is there already");
  if (into.fields.empty())
    into.line = line_;
  into.fields.push_back({name, std::string{trimmed(line.substr(colon + 1))}, line_});
  return true;
}

bool control_reader::take_continuation(std::string_view line, paragraph& into) {
  auto refuse = [&](std::string what) {
    report(line_, std::move(what));
    return false;
  };
  if (skipping_)
    return refuse("continues a broken line");
  if (into.fields.empty())
    return refuse("continues nothing: " + shown(line));
  if (!is_text(line))
    return refuse("not UTF-8 text: " + shown(line));
  auto& value = into.fields.back().value;
  if (value.size() + line.size() > max_line)
    return refuse("value longer than " + std::to_string(max_line) + " bytes");
  value += '\n';
  value += trimmed(line);
  return true;
}

std::optional<package> package_of(const paragraph& p, control_reader& reader) {
  auto text = [&](std::string_view name) {
    auto* f = p.find(name);
    return f != nullptr ? f->value : std::string{};
  };
  package out;
  out.name = text("Package");
  out.version = text("Version");
  if (out.name.empty() || out.version.empty()) {
    reader.report(p.line, out.name.empty() ? "a paragraph without Package"
                                           : "package " + out.name + " without Version");
    return std::nullopt;
  }
  out.section = text("Section");
  out.maintainer = text("Maintainer");
  out.summary = text("Description");
  out.summary.resize(std::min(out.summary.find('\n'), out.summary.size()));
  out.depends = names_of(text("Depends"));
  if (auto* f = p.find("Installed-Size")) {
    std::int64_t size = 0;
    auto* end = f->value.data() + f->value.size();
    auto [rest, failed] = std::from_chars(f->value.data(), end, size);
    if (failed != std::errc{} || rest != end || size < 0)
      reader.report(f->line, "Installed-Size is not a number of KiB: " + shown(f->value));
    else
      out.installed_size = size;
  }
  return out;
}

} // namespace package_index
