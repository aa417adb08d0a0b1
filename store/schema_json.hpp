#pragma once

#include <holdfast/runtime/result.hpp>
#include <holdfast/store/json_limits.hpp>
#include <holdfast/store/schema.hpp>

#include <string>
#include <string_view>

/// Definitions of buckets as JSON text, for files that a person edits. Thread-safe.
namespace holdfast {

/// Reads a definition:
///
///     {"name": "users", "key": "id",
///      "fields": {
///        "id":      {"type": "string", "generated": "uuid"},
///        "name":    {"type": "string", "required": true, "minLength": 1, "maxLength": 200},
///        "email":   {"type": "string", "format": "email", "unique": true},
///        "role":    {"type": "string", "enum": ["admin", "user"], "default": "user"},
///        "age":     {"type": "integer", "min": 0, "max": 150},
///        "team":    {"type": "string", "ref": "teams", "onDelete": "set_null"},
///        "address": {"type": "object", "properties": {"city": {"type": "string"}}},
///        "tags":    {"type": "array", "items": {"type": "string", "pattern": "^[a-z]+$"}}},
///      "indexes": ["role", ["team", "age"]], "invertedIndexes": ["name", "tags"],
///      "ordered": false, "closed": true, "persistent": true,
///      "ttl": "30m", "maxSize": 10000, "evict": "least_recently_used"}
///
/// `name`, `key` and `fields` are needed, and of a field its `type`: `string`, `number`, `integer`,
/// `boolean`, `object`, `array`, `date`. `generated` is `uuid`, `cuid`, `autoincrement` or
/// `timestamp`; `format` is `email`, `url` or `iso-date`; `onDelete` is `restrict`, `cascade` or
/// `set_null`; `ttl` is a duration or a number of milliseconds. Everything else is
/// `invalid_argument`, with the place: `schema.fields.age.min: ...`; also a text above `limits`.
/// Functions (validators, computed defaults) cannot be written: add them to what this returns.
/// Whether the definition contradicts itself is seen when it is compiled.
result<schema> schema_from_json(std::string_view text, const json_limits& limits = {});

/// The definition in that form, indented; `schema_from_json` gives an equal one back, but for
/// functions, which are left out.
std::string to_json(const schema& definition);

} // namespace holdfast
