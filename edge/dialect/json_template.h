// json_template.h: a JSON value with slots, compiled once into a flat list of literal pieces and
// slots, and written in one pass.
// Owns: its pieces.   Used by: data_dialect (writes), dialect_loader (compiles).
// Threads: immutable; any thread.
// Fails: compiling adds a fault for each slot that names nothing; writing cannot fail.
//
// A string that begins with '$' is a slot: "$path", "$path:number", "$path:null", and "$path?" for
// a member that is left out when there is nothing to write. "$$" begins a plain string with one
// '$'. Paths are the lowerCamelCase names of proto fields. docs/dialects.md tells the whole of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/reflection.h>

#include "confab/v1/client.pb.h"
#include "confab/v1/types.pb.h"

#include "edge/dialect/field_reader.h"
#include "edge/dialect/located_json.h"

namespace confab::edge {

// Objects and arrays inside one another in a template: clients' payloads nest at most 3.
inline constexpr size_t kTemplateDepthLimit = 8;

// What a template may name.
struct TemplateScope {
  struct Root {
    std::string_view prefix;  // "command" for "$command.roomId"; empty: its fields stand alone.
    const google::protobuf::Descriptor* type;
  };
  enum class ExtraKind { kText, kNumber, kJson };  // kJson: a JSON text that is written as it is.
  struct Extra {
    std::string_view name;
    ExtraKind kind;
  };
  std::vector<Root> roots;  // Searched in this order.
  std::vector<Extra> extras;
};

// Writes what a dialect has templates of its own for.
class ListWriter {
 public:
  virtual ~ListWriter() = default;
  // The events of a page, as an array.
  virtual void AppendEvents(const google::protobuf::RepeatedFieldRef<v1::Event>& events,
                            std::string& out) const = 0;
  // What became of each room of a resume, as an object.
  virtual void AppendRooms(const google::protobuf::RepeatedFieldRef<v1::ResumedRoom>& rooms,
                           std::string& out) const = 0;
};

// What a template is written from; in the order of its scope.
struct TemplateInput {
  struct Extra {
    std::string_view text;
    int64_t number = 0;
  };
  std::array<const google::protobuf::Message*, 2> roots{};
  std::array<Extra, 3> extras{};
  const ListWriter* lists = nullptr;  // Needed where a slot names events or resumed rooms.
};

class JsonTemplate {
 public:
  JsonTemplate() = default;  // Writes nothing.

  static JsonTemplate Compile(const LocatedJson& value, const TemplateScope& scope,
                              FileFaults& faults);

  void Append(const TemplateInput& input, std::string& out) const;
  bool empty() const { return pieces_.empty(); }

 private:
  friend class TemplateCompiler;

  enum class Slot : uint8_t {
    kNone,
    kComma,  // Unless nothing stands in the object yet.
    kText,
    kJson,  // A text that is written as it is; null where it is empty.
    kInteger,
    kBool,
    kTime,
    kWord,  // An enum's.
    kTextList,
    kTextMap,
    kEvents,
    kRooms,  // Of a resume.
    kExtraText,
    kExtraNumber,
    kExtraJson,
  };
  enum class Form : uint8_t { kPlain, kNumber, kNull };

  // A literal, then a slot.
  struct Piece {
    uint32_t literal_begin = 0;
    uint32_t literal_size = 0;
    Slot slot = Slot::kNone;
    Form form = Form::kPlain;
    uint8_t place = 0;  // Of the source or the extra.
    bool is_optional = false;
    bool needs_comma = false;  // An optional member behind which something may stand.
    std::string key;           // An optional member's, as it is written.
    const google::protobuf::FieldDescriptor* field = nullptr;
    TextReader read_text = nullptr;  // These three by the field's type.
    IntegerReader read_integer = nullptr;
    MessageReader read_message = nullptr;
    std::vector<std::string> words;
  };
  // A message that slots read: a root, or a field of an earlier source.
  struct Source {
    uint8_t parent = 0;
    const google::protobuf::FieldDescriptor* field = nullptr;  // nullptr: root number `parent`.
    MessageReader read = nullptr;
  };
  static constexpr size_t kSourcesLimit = 8;  // Roots, and the parts of an event.
  using Sources = std::array<const google::protobuf::Message*, kSourcesLimit>;

  static bool IsEmpty(const Piece& piece, const Sources& sources, const TemplateInput& input);
  static void AppendSlot(const Piece& piece, const Sources& sources, const TemplateInput& input,
                         std::string& out);

  std::string literals_;
  std::vector<Piece> pieces_;
  std::vector<Source> sources_;
};

// True for "0" and for digits without a leading zero up to 2^53-1: what may stand as a JSON number
// and come back as the same id.
bool IsCanonicalDecimal(std::string_view id);

}  // namespace confab::edge
