// Dialect files: refused with a line, or good for everything a dialect has to tell.
// Covers: edge/dialect/dialect_loader.cc edge/dialect/file_section.cc edge/dialect/located_json.cc
//   edge/dialect/template_compiler.cc
#include <span>
#include <string>

#include "edge/dialect/dialect_loader.h"
#include "tests/fuzz/dialect_outputs.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  namespace edge = confab::edge;
  using confab::fuzz::Require;
  const std::string_view text = confab::fuzz::View(bytes, size);
  const auto dialect = edge::ParseDialect("file.json", text);
  if (!dialect.ok()) {
    Require(dialect.status().message().substr(0, 10) == "file.json:", "a fault names its place");
    return 0;
  }
  Require(!(*dialect)->name().empty(), "a dialect has a name");
  static edge::JsonParser parser;
  constexpr std::string_view kText =
      R"(["say",{"roomId":"1","content":"\"x\\","limit":5,"isTyping":true,"body":{}}])";
  static const boost::json::value argument = (**parser.Parse(kText)).as_array().at(1);
  confab::fuzz::DialectOutputs outputs(**dialect, "\"quoted\" \\ \n");
  for (const std::string name : {"joinRoom", "sendMessage", "getHistory", "say"}) {
    confab::v1::Command command;
    static_cast<void>((*dialect)->Translate(name, std::span(&argument, 1), kText, command));
    outputs.CheckAnswers(command);
  }
  outputs.CheckEvents();
  return 0;
}
