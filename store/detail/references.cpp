#include <holdfast/store/detail/references.hpp>

#include <holdfast/store/detail/bucket_core.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace holdfast::detail {
namespace {

using links_by_bucket = std::map<bucket_core*, std::shared_ptr<reference_links>>;

links_by_bucket direct_links(std::span<bucket_core* const> all, const coming_definition& coming) {
  links_by_bucket out;
  auto of = [&](bucket_core* b) -> reference_links& {
    auto& links = out[b];
    if (!links)
      links = std::make_shared<reference_links>();
    return *links;
  };
  for (auto* source : all) {
    auto& rules = (source == coming.of.get() ? *coming.next : source->schema()).rules();
    for (std::uint32_t slot = 0; slot < rules.size(); ++slot) {
      auto& declared = rules[slot].options->references;
      if (!declared)
        continue;
      auto target =
          std::ranges::find_if(all, [&](bucket_core* b) { return b->name() == declared->bucket; });
      auto* to = target == all.end() ? nullptr : *target;
      of(source).outgoing.push_back({slot, declared->bucket, declared->what, to});
      if (to)
        of(to).incoming.push_back({source, slot, declared->what});
    }
  }
  return out;
}

/// What a write to `b` may reach. Erasing one of its records may erase or change those that refer
/// to it, and so on; storing one looks at those that it refers to.
void find_members(bucket_core* b, const links_by_bucket& links) {
  std::set<bucket_core*> reached{b};
  std::vector<bucket_core*> to_do{b};
  while (!to_do.empty()) {
    auto found = links.find(to_do.back());
    to_do.pop_back();
    if (found == links.end())
      continue;
    for (auto& in : found->second->incoming)
      if (reached.insert(in.source).second)
        to_do.push_back(in.source);
  }
  auto& mine = *links.at(b);
  for (auto& out : mine.outgoing)
    if (out.target)
      reached.insert(out.target);
  mine.members.assign(reached.begin(), reached.end());
  std::ranges::sort(mine.members, {}, [](bucket_core* m) { return m->id(); });
  mine.held.assign(mine.members.begin(), mine.members.end());
}

/// What `b` refers to by way of others that cascade, with a capacity.
void find_capped(bucket_core* b, const links_by_bucket& links) {
  std::set<bucket_core*> reached;
  std::vector<bucket_core*> to_do;
  auto& mine = *links.at(b);
  for (auto& out : mine.outgoing)
    to_do.push_back(out.target);
  while (!to_do.empty()) {
    auto found = links.find(to_do.back());
    to_do.pop_back();
    if (found == links.end())
      continue;
    for (auto& out : found->second->outgoing)
      if (out.target && out.what == on_delete::cascade && reached.insert(out.target).second)
        to_do.push_back(out.target);
  }
  for (auto* each : reached)
    if (each->evictor()) {
      mine.capped_beyond.push_back(each);
      mine.held.emplace_back(each);
    }
}

/// Puts the links in place while nobody writes to any of the buckets that are or will be linked;
/// those of them that are not in `links` get none. False, and nothing is done, if one of them was
/// busy until then.
bool install(std::span<bucket_core* const> all, const links_by_bucket& links,
             const time_limit* until) {
  std::vector<bucket_core*> by_id;
  std::ranges::copy_if(all, std::back_inserter(by_id),
                       [&](bucket_core* b) { return b->links() || links.contains(b); });
  std::ranges::sort(by_id, {}, [](bucket_core* b) { return b->id(); });
  std::vector<std::shared_ptr<const reference_links>> before(by_id.size()); // go behind the turns
  std::size_t taken = 0;
  const auto give_all = [&] {
    while (taken > 0)
      by_id[--taken]->turn().give();
  };
  for (; taken < by_id.size(); ++taken)
    if (!until) {
      by_id[taken]->turn().take();
    } else if (!by_id[taken]->turn().take(*until)) {
      give_all();
      return false;
    }
  for (std::size_t i = 0; i < by_id.size(); ++i) {
    auto found = links.find(by_id[i]);
    before[i] = by_id[i]->link(found == links.end() ? nullptr : found->second);
  }
  give_all();
  return true;
}

/// Links `some` of them, and unlinks the others.
bool link_some(std::span<bucket_core* const> all, std::span<bucket_core* const> some,
               const coming_definition& coming, const time_limit* until) {
  auto links = direct_links(some, coming);
  for (auto& [b, mine] : links) {
    find_members(b, links);
    find_capped(b, links);
  }
  return install(all, links, until);
}

std::optional<error> mismatch(const std::string& source, const std::string& field,
                              const std::string& target, bool durable) {
  auto kind = [](bool kept) { return kept ? " is kept in the journal" : " is in memory only"; };
  auto why = durable ? ": after a restart there would be nothing to refer to"
                     : ": a plain write commits to one of the two, not to both";
  return error{errc::invalid_schema,
               source + "." + field + ": references " + target + ", which" + kind(!durable) +
                   ", while " + source + kind(durable) + why,
               {source, {}, field}};
}

} // namespace

key_view outgoing_reference::key_in(const record_block& source) const noexcept {
  return slot < source.layout->size() ? key_view::of(source, slot) : key_view{};
}

void incoming_reference::find(const key_view& key, std::vector<record_block*>& out) const {
  auto& data = source->data();
  auto& indexes = data.layout().indexes;
  auto found = std::ranges::find_if(indexes, [&](auto& i) {
    return i.slot_number == slot && i.more_slots.empty() && i.type != index_type::inverted;
  });
  if (found != indexes.end())
    data.find_heads(static_cast<std::size_t>(found - indexes.begin()), key, out);
}

std::optional<error> check_key_types(std::span<bucket_core* const> all, const schema& definition) {
  const auto wrong = [](const schema& source, const schema& target) -> std::optional<error> {
    for (auto& f : source.fields()) {
      if (!f.options.references || f.options.references->bucket != target.name())
        continue;
      const auto key =
          std::ranges::find(target.fields(), target.key_name(), &field_definition::name)
              ->options.type;
      if (f.options.type != key)
        return error{errc::invalid_schema,
                     source.name() + "." + f.name + ": of type " +
                         std::string{to_string(f.options.type)} + ", references " + target.name() +
                         ", whose key is of type " + std::string{to_string(key)},
                     {source.name(), {}, f.name}};
    }
    return std::nullopt;
  };
  if (auto found = wrong(definition, definition))
    return found;
  for (auto* other : all) {
    auto& theirs = other->schema().definition();
    if (theirs.name() == definition.name())
      continue;
    if (auto found = wrong(definition, theirs))
      return found;
    if (auto found = wrong(theirs, definition))
      return found;
  }
  return std::nullopt;
}

std::optional<error> check_lines(std::span<bucket_core* const> all, const schema& definition,
                                 bool durable) {
  for (auto* other : all) {
    if (other->durable() == durable || other->name() == definition.name())
      continue;
    for (auto& f : definition.fields())
      if (f.options.references && f.options.references->bucket == other->name())
        return mismatch(definition.name(), f.name, other->name(), durable);
    for (auto& f : other->schema().definition().fields())
      if (f.options.references && f.options.references->bucket == definition.name())
        return mismatch(other->name(), f.name, definition.name(), !durable);
  }
  return std::nullopt;
}

void link_references(std::span<bucket_core* const> all, const coming_definition& coming) {
  link_some(all, all, coming, nullptr);
}

bool link_references(std::span<bucket_core* const> all, const coming_definition& coming,
                     const time_limit& until) {
  return link_some(all, all, coming, &until);
}

void unlink_references(std::span<bucket_core* const> all, const bucket_core& leaving,
                       const coming_definition& coming) {
  std::vector<bucket_core*> rest;
  std::ranges::copy_if(all, std::back_inserter(rest),
                       [&](bucket_core* b) { return b != &leaving; });
  link_some(all, rest, coming, nullptr);
}

bool unlink_references(std::span<bucket_core* const> all, const time_limit& until) {
  return link_some(all, {}, {}, &until);
}

} // namespace holdfast::detail
