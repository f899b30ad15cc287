// event_arguments.h: reads the fields of a client's event and remembers the first thing wrong.
// Owns: nothing; views the parsed JSON.   Used by: inbound_event.
// Threads: confined to the caller.
// Fails: TakeRefusal gives a BAD_REQUEST that names event and field.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/value.hpp>
#include <google/protobuf/timestamp.pb.h>

#include "confab/v1/types.pb.h"

namespace confab::edge {

// An id of at most 53 bits may come as a JSON number; beyond that JavaScript cannot count.
inline constexpr int64_t kJsonIntegerMax = 9'007'199'254'740'991;

class EventArguments {
 public:
  // The fields stand in the first argument, an object. It may be missing where nothing is read
  // from it. `text` is the JSON array of name and arguments.
  EventArguments(std::string_view event, std::span<const boost::json::value> args,
                 std::string_view text, bool is_read);

  // nullptr if the field is missing; null counts as missing.
  const boost::json::value* Find(std::string_view field) const;
  void RefuseMissing(std::string_view field);

  // The value, or nullopt where it is wrong, which is remembered. An id is a string, or a number of
  // plain digits, which becomes its decimal string.
  std::optional<std::string> Id(std::string_view field, const boost::json::value& value);
  std::optional<std::string> Text(std::string_view field, const boost::json::value& value);
  // 0 to kJsonIntegerMax.
  std::optional<int64_t> Integer(std::string_view field, const boost::json::value& value);
  std::optional<bool> Bool(std::string_view field, const boost::json::value& value);
  // An array of ids; empty where it is wrong.
  std::vector<std::string> Ids(std::string_view field, const boost::json::value& value);
  // An object of ids and whole numbers; empty where it is wrong.
  std::vector<std::pair<std::string, int64_t>> Seqs(std::string_view field,
                                                    const boost::json::value& value);
  // RFC 3339.
  std::optional<google::protobuf::Timestamp> Time(std::string_view field,
                                                  const boost::json::value& value);
  // What stands there, byte for byte.
  std::optional<std::string_view> Json(std::string_view field);

  // The place of the word among these; empty ones are no words.
  std::optional<int> Word(std::string_view field, const boost::json::value& value,
                          const std::vector<std::string>& words);

  std::optional<v1::Error> TakeRefusal() { return std::move(refusal_); }

 private:
  void Refuse(std::string_view what);
  void RefuseField(std::string_view field, std::string_view what);

  std::string_view event_;
  std::string_view text_;
  const boost::json::object* fields_ = nullptr;
  std::optional<v1::Error> refusal_;
};

// UNKNOWN_COMMAND, naming the event (cut if it is longer than any name).
v1::Error UnknownEvent(std::string_view event);

}  // namespace confab::edge
