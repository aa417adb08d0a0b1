#pragma once

#include <holdfast/store/journal.hpp>

#include <memory>
#include <utility>

namespace holdfast::testing {

/// A journal that passes everything on to another one: the base of those that fail on purpose.
class forwarding_journal : public journal {
public:
  explicit forwarding_journal(std::unique_ptr<journal> to) : to_{std::move(to)} {}

  result<journal_info> open() override { return to_->open(); }
  void open_only_if(precondition what) override { to_->open_only_if(std::move(what)); }
  result<void> append(const journal_batch& batch, bool synced) override {
    return to_->append(batch, synced);
  }
  result<void> sync() override { return to_->sync(); }
  result<void> scan(std::string_view first, std::string_view last,
                    const visitor& visit) const override {
    return to_->scan(first, last, visit);
  }
  std::vector<std::string> split(std::string_view first, std::string_view last,
                                 unsigned parts) const override {
    return to_->split(first, last, parts);
  }
  sequence durable() const noexcept override { return to_->durable(); }
  result<void> close() override { return to_->close(); }
  std::string name() const override { return to_->name(); }

protected:
  std::unique_ptr<journal> to_;
};

} // namespace holdfast::testing
