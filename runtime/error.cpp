#include <holdfast/runtime/error.hpp>

#include <utility>

namespace holdfast {

struct error::payload {
  errc code;
  std::string message;
  location where;
  detail_type detail;
  std::shared_ptr<const error> cause;
};

std::string_view to_string(errc code) noexcept {
  switch (code) {
  case errc::not_found: return "not_found";
  case errc::duplicate: return "duplicate";
  case errc::invalid: return "invalid";
  case errc::invalid_argument: return "invalid_argument";
  case errc::invalid_schema: return "invalid_schema";
  case errc::broken_reference: return "broken_reference";
  case errc::conflict: return "conflict";
  case errc::already_exists: return "already_exists";
  case errc::bucket_crashed: return "bucket_crashed";
  case errc::unavailable: return "unavailable";
  case errc::overloaded: return "overloaded";
  case errc::timeout: return "timeout";
  case errc::outcome_unknown: return "outcome_unknown";
  case errc::read_only: return "read_only";
  case errc::io: return "io";
  case errc::locked: return "locked";
  case errc::newer_format: return "newer_format";
  case errc::corrupt: return "corrupt";
  case errc::data_loss: return "data_loss";
  case errc::log_trimmed: return "log_trimmed";
  case errc::out_of_memory: return "out_of_memory";
  case errc::dropped: return "dropped";
  case errc::stopped: return "stopped";
  case errc::start_failed: return "start_failed";
  case errc::cancelled: return "cancelled";
  }
  return "unknown";
}

error::error(errc code, std::string message, location where, detail_type detail)
    : payload_(std::make_shared<const payload>(
          payload{code, std::move(message), std::move(where), std::move(detail), nullptr})) {}

error::error(std::shared_ptr<const payload> p) noexcept : payload_(std::move(p)) {}

errc error::code() const noexcept { return payload_->code; }
const std::string& error::message() const noexcept { return payload_->message; }
const location& error::where() const noexcept { return payload_->where; }
const error::detail_type& error::detail() const noexcept { return payload_->detail; }
const error* error::cause() const noexcept { return payload_->cause.get(); }

const std::vector<issue>& error::issues() const noexcept {
  static const std::vector<issue> none;
  auto* list = std::get_if<std::vector<issue>>(&payload_->detail);
  return list ? *list : none;
}

error error::at(location where) const {
  auto p = std::make_shared<payload>(*payload_);
  auto fill = [](std::string& mine, std::string& theirs) {
    if (mine.empty())
      mine = std::move(theirs);
  };
  fill(p->where.bucket, where.bucket);
  fill(p->where.key, where.key);
  fill(p->where.field, where.field);
  fill(p->where.query, where.query);
  return error{std::shared_ptr<const payload>{std::move(p)}};
}

error error::because(error cause) const {
  auto p = std::make_shared<payload>(*payload_);
  p->cause = std::make_shared<const error>(std::move(cause));
  return error{std::shared_ptr<const payload>{std::move(p)}};
}

std::string error::to_string() const {
  std::string text{holdfast::to_string(code())};
  if (!message().empty())
    text += ": " + message();
  for (auto& found : issues())
    text += "\n  " + found.message;
  if (cause())
    text += " (cause: " + cause()->to_string() + ")";
  return text;
}

} // namespace holdfast
