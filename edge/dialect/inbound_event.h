// inbound_event.h: one event of a client: which command it is, and where that one's fields stand.
// Owns: its table.   Used by: data_dialect (Read), dialect_loader (Compile).
// Threads: immutable; any thread.
// Fails: Read gives a BAD_REQUEST that names event and field.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>
#include <google/protobuf/descriptor.h>

#include "confab/v1/edge_link.pb.h"
#include "confab/v1/types.pb.h"

#include "edge/dialect/located_json.h"

namespace confab::edge {

class EventArguments;

class InboundEvent {
 public:
  // Compiles {"command": …, "fields": {…}}, or {"refused": REASON}: an event that clients of the
  // family send and that is not served.
  static InboundEvent Compile(const LocatedJson& value, FileFaults& faults);

  // Sets the command's oneof and its fields. A value: why not, told so of `event`.
  // `text` is the JSON array that `args` was read from, name included.
  std::optional<v1::Error> Read(std::string_view event, std::span<const boost::json::value> args,
                                std::string_view text, v1::Command& command) const;

  // nullptr: it is refused.
  const google::protobuf::FieldDescriptor* command() const { return command_; }

  // "postMessage {roomId <- chatId (id, required), …}": for people.
  std::string Describe() const;

 private:
  // kWord: one of an enum's. kJson: a text field that holds whatever JSON stands there, byte for
  // byte. kSeqs: a number for each of some rooms.
  enum class Type : uint8_t { kId, kText, kInteger, kBool, kWord, kIds, kTime, kJson, kSeqs };

  struct Field {
    const google::protobuf::FieldDescriptor* target = nullptr;
    Type type = Type::kText;
    std::string from;  // Member of the argument; empty: always what stands below.
    bool is_required = false;
    bool has_default = false;
    std::string text;
    int64_t integer = 0;
    bool boolean = false;
    std::vector<std::string> words = {};  // By number.
  };

  static void CompileField(const google::protobuf::Descriptor& command, std::string_view name,
                           const LocatedJson& value, FileFaults& faults, InboundEvent& out);
  static void CompileDefault(std::string_view name, const LocatedJson& value, FileFaults& faults,
                             Field& field);
  static std::optional<Type> TypeOf(const google::protobuf::FieldDescriptor& field);
  static bool SetDefault(const LocatedJson& value, Field& field);
  static void SetFrom(const Field& field, const boost::json::value& value, EventArguments& in,
                      google::protobuf::Message& message);
  static void SetSeqs(const Field& field, const boost::json::value& value, EventArguments& in,
                      google::protobuf::Message& message);
  static void SetToDefault(const Field& field, google::protobuf::Message& message);

  const google::protobuf::FieldDescriptor* command_ = nullptr;
  std::vector<Field> fields_;
  bool reads_argument_ = false;
  std::string refused_;  // Why, if it is.
};

}  // namespace confab::edge
