// Events of clients in each built-in dialect: what they become, and what the client is told. The
// first byte chooses the dialect, a JSON array follows: name and arguments.
// Covers: edge/dialect/inbound_event.cc edge/dialect/event_arguments.cc edge/dialect/data_dialect.cc
//   edge/dialect/json_template.cc edge/dialect/field_reader.cc
#include <span>
#include <string>

#include <google/protobuf/stubs/logging.h>

#include "edge/dialect/dialect_set.h"
#include "tests/fuzz/dialect_outputs.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  namespace edge = confab::edge;
  using confab::fuzz::Require;
  static const edge::DialectSet dialects = *edge::DialectSet::Load("");
  static auto* const silent = google::protobuf::SetLogHandler(nullptr);
  static_cast<void>(silent);
  static edge::JsonParser parser;
  if (size == 0) return 0;
  const edge::Dialect& dialect = dialects.at(bytes[0] % dialects.size());
  const auto value = parser.Parse(confab::fuzz::View(bytes + 1, size - 1));
  const boost::json::array* array = value.ok() ? (*value)->if_array() : nullptr;
  if (array == nullptr || array->empty() || !array->front().is_string()) return 0;
  const std::string event(array->front().get_string());
  const std::span<const boost::json::value> args(array->data() + 1, array->size() - 1);

  confab::v1::Command command;
  const auto refusal =
      dialect.Translate(event, args, confab::fuzz::View(bytes + 1, size - 1), command);
  if (refusal) {
    Require(!refusal->message().empty(), "a refusal says why");
  } else {
    Require(command.command_case() != confab::v1::Command::COMMAND_NOT_SET,
            "an event is a command or is refused");
  }
  // A string that is no UTF-8 would end the stream to control.
  confab::v1::Command again;
  Require(again.ParseFromString(command.SerializeAsString()), "control can read the command");
  confab::fuzz::DialectOutputs outputs(dialect, event);
  outputs.CheckAnswers(command);
  outputs.CheckEvents();
  return 0;
}
