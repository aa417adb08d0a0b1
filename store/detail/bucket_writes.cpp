#include <holdfast/store/detail/bucket_writes.hpp>

#include <holdfast/store/codec.hpp>
#include <holdfast/store/detail/read_key.hpp>
#include <holdfast/store/detail/validation.hpp>

namespace holdfast::detail {
namespace {

std::string record_key(const bucket_core& b, const key_view& key) {
  return key.tag == slot_tag::integer ? integer_key(b.id(), key.integer)
                                      : text_key(b.id(), key.text);
}

void put_record(bucket_core& b, sealed_commit& into, const record_block& block) {
  if (!b.durable())
    return;
  into.begin_put(record_key(b, key_view::of(block, b.key_slot())));
  codec::encode(block, 1, into.bytes());
  into.end_put();
}

void put_erased(bucket_core& b, sealed_commit& into, const record_block& block) {
  if (b.durable())
    into.erase(record_key(b, key_view::of(block, b.key_slot())));
}

/// The counter is kept apart from the records, so that erasing the last one does not bring its
/// number back.
void put_counter(bucket_core& b, sealed_commit& into) {
  if (!b.durable() || b.made().proposed() == b.made().counter())
    return;
  std::string number;
  append_big_endian(number, static_cast<std::uint64_t>(b.made().proposed()), 8);
  into.put(bucket_prefix('n', b.id()), number);
}

error not_found(const bucket_core& b, value_view key) {
  auto text = key.to_string();
  return error{errc::not_found, b.name() + ": no record has the key " + text, {b.name(), text, {}}};
}

error taken(const bucket_core& b, std::size_t slot, value_view v) {
  auto& field = b.schema().layout().name(slot);
  auto text = v.to_string();
  return error{errc::duplicate,
               b.name() + "." + field + ": " + text + " is taken by another record",
               {b.name(), slot == b.key_slot() ? text : std::string{}, field},
               duplicate_value{field, text}};
}

/// The first unique field whose value another record than `self` has.
std::optional<error> clash(bucket_core& b, const draft& input, const record_block* self) {
  auto& indexes = b.schema().indexes();
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    if (!indexes[i].unique)
      continue;
    auto v = input.field(indexes[i].slot);
    if (v.is_null())
      continue;
    auto* other = b.data().unique_head(i, key_of(v));
    if (other && other != self)
      return taken(b, indexes[i].slot, v);
  }
  return std::nullopt;
}

/// Memory from the bucket's pool that goes back unless it becomes a record.
class room {
public:
  room(bucket_core& b, std::size_t bytes)
      : pool_{b.data().memory()}, bytes_{bytes}, memory_{pool_.allocate(bytes)} {}
  room(const room&) = delete;
  room& operator=(const room&) = delete;
  ~room() {
    if (memory_)
      pool_.free(memory_, bytes_);
  }
  void* get() const noexcept { return memory_; }
  void used() noexcept { memory_ = nullptr; }

private:
  pool& pool_;
  std::size_t bytes_;
  void* memory_;
};

record_block* find(bucket_core& b, value_view key) { return b.find_head(key_of(key)); }

} // namespace

result<record_block*> insert_one(bucket_core& b, sealed_commit& into, draft& input, timestamp now) {
  if (auto failed = complete(input, b.made(), now))
    return fail(std::move(*failed));
  if (auto failed = check_insert(input))
    return fail(std::move(*failed));
  fault_point("bucket.checked");
  auto key = input.field(b.key_slot());
  auto k = key_of(key);
  if (b.find_head(k))
    return fail(taken(b, b.key_slot(), key));
  if (auto other = clash(b, input, nullptr))
    return fail(std::move(*other));
  room memory{b, block_size(input)};
  auto* block = build(memory.get(), input, now);
  memory.used();
  block->hash = hash_of(k);
  b.data().insert(block);
  fault_point("bucket.inserted");
  put_record(b, into, *block);
  put_counter(b, into);
  return block;
}

result<record_block*> update_one(bucket_core& b, sealed_commit& into, record_block* old,
                                 draft& changes, timestamp now) {
  if (auto failed = check_update(*old, changes))
    return fail(std::move(*failed));
  fault_point("bucket.checked");
  if (auto other = clash(b, changes, old))
    return fail(std::move(*other));
  auto plan = plan_update(*old, changes);
  room memory{b, plan.bytes};
  auto* block = build_update(memory.get(), *old, changes, plan, now);
  memory.used();
  b.data().replace(old, block);
  fault_point("bucket.replaced");
  put_record(b, into, *block);
  return block;
}

result<record> insert_operation::apply(bucket_core& b) {
  auto added = insert_one(b, *this, draft_, b.now());
  if (!added)
    return fail(std::move(added.error()));
  changed();
  return record::share(*added);
}

insert_many_operation::insert_many_operation(ref<bucket_core> to, durability how,
                                             const std::vector<object>& list)
    : write_operation{std::move(to), how} {
  drafts_.reserve(list.size());
  for (auto& fields : list)
    drafts_.emplace_back(bucket().schema(), fields);
}

result<records> insert_many_operation::apply(bucket_core& b) {
  auto now = b.now();
  records out;
  out.reserve(drafts_.size());
  for (std::size_t i = 0; i < drafts_.size(); ++i) {
    auto added = insert_one(b, *this, drafts_[i], now);
    if (!added)
      return fail(error{added.error().code(),
                        "record " + std::to_string(i) + " of " + std::to_string(drafts_.size()) +
                            ": " + added.error().message(),
                        added.error().where(), added.error().detail()});
    changed();
    out.push_back(record::share(*added));
  }
  return out;
}

result<record> update_operation::apply(bucket_core& b) {
  auto* old = find(b, key_);
  if (!old)
    return fail(not_found(b, key_));
  auto next = update_one(b, *this, old, draft_, b.now());
  if (!next)
    return fail(std::move(next.error()));
  changed();
  return record::share(*next);
}

result<record> upsert_operation::apply(bucket_core& b) {
  auto* old = find(b, draft_.key());
  auto stored =
      old ? update_one(b, *this, old, draft_, b.now()) : insert_one(b, *this, draft_, b.now());
  if (!stored)
    return fail(std::move(stored.error()));
  changed();
  return record::share(*stored);
}

result<record> erase_operation::apply(bucket_core& b) {
  auto* old = find(b, key_);
  if (!old)
    return fail(not_found(b, key_));
  auto last = record::share(old);
  b.data().erase(old);
  fault_point("bucket.erased");
  put_erased(b, *this, *old);
  changed();
  return last;
}

result<std::uint64_t> clear_operation::apply(bucket_core& b) {
  auto count = b.data().live_count();
  if (count == 0)
    return count;
  b.data().clear();
  fault_point("bucket.cleared");
  if (b.durable())
    erase_range(bucket_prefix('s', b.id()), bucket_prefix('s', b.id() + 1));
  changed();
  return count;
}

} // namespace holdfast::detail
