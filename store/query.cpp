#include <holdfast/store/query.hpp>

namespace holdfast {

namespace {

void add_part(std::string& out, std::string_view word, std::string_view what) {
  if (!out.empty())
    out += ' ';
  out += word;
  out += ' ';
  out += what;
}

std::string text_of(const std::vector<field_name>& names) {
  std::string out;
  for (const auto& name : names)
    out += (out.empty() ? "" : ", ") + name.text;
  return out;
}

} // namespace

std::string to_string(const std::vector<order_term>& order) {
  std::string out;
  for (const auto& term : order) {
    out += (out.empty() ? "" : ", ") + term.field;
    out += term.way == direction::descending ? " descending" : "";
  }
  return out;
}

std::string query::to_string() const {
  std::string out;
  if (!fields_.empty())
    add_part(out, "select", text_of(fields_));
  if (!where_.is_everything())
    add_part(out, "where", where_.to_string());
  if (!order_.empty())
    add_part(out, "order by", holdfast::to_string(order_));
  if (offset_ > 0)
    add_part(out, "offset", std::to_string(offset_));
  if (limit_ != unlimited)
    add_part(out, "limit", std::to_string(limit_));
  return out.empty() ? "everything" : out;
}

std::string_view to_string(explanation::source from) noexcept {
  switch (from) {
  case explanation::source::nothing:
    return "nothing";
  case explanation::source::primary_key:
    return "primary key";
  case explanation::source::unique_index:
    return "unique index";
  case explanation::source::index:
    return "index";
  case explanation::source::inverted_index:
    return "inverted index";
  case explanation::source::index_union:
    return "union";
  case explanation::source::scan:
    return "scan";
  }
  return "?";
}

std::string_view to_string(explanation::ordering order) noexcept {
  switch (order) {
  case explanation::ordering::stored:
    return "stored order";
  case explanation::ordering::index:
    return "index order";
  case explanation::ordering::sorted:
    return "sorted";
  }
  return "?";
}

std::string explanation::to_string() const {
  std::string out = bucket + ": " + std::string{holdfast::to_string(from)};
  for (std::size_t i = 0; i < indexes.size(); ++i)
    out += (i == 0 ? " " : ", ") + indexes[i];
  if (!condition.empty())
    out += " (" + condition + ")";
  out += ", " + std::to_string(estimated_rows) + " of " + std::to_string(total_rows) + " rows";
  if (!residual.empty())
    out += ", filter " + residual;
  out += ", " + std::string{holdfast::to_string(order)};
  if (!order_text.empty())
    out += " by " + order_text;
  if (covers_count)
    out += ", count from the index alone";
  return out;
}

} // namespace holdfast
