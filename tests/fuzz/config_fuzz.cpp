// Any bytes as a configuration file: either specs that are within their ranges, or problems that have a text.
// What is accepted can be described, and the description is accepted again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "config/config.hpp"
#include "config/describe.hpp"
#include "json/parse.hpp"

namespace {

class OneFile final : public vigil::config::Files {
  public:
    explicit OneFile(std::string text) : text_(std::move(text)) {}
    vigil::Result<std::string, vigil::Error> read(const std::string&) override { return text_; }
    vigil::Result<std::vector<std::string>, vigil::Error> expand(const std::string&,
                                                                 const std::string&) override {
        return std::vector<std::string>();
    }

  private:
    std::string text_;
};

void check_description(const vigil::core::TaskSpec& spec) {
    const std::string text = vigil::config::describe(spec, vigil::config::EnvValues::shown);
    const auto document = vigil::json::parse(text);
    if (!document) std::abort();
    const auto again = vigil::config::parse_task(document->root, spec.name, {}, "description");
    if (!again || vigil::config::describe(**again, vigil::config::EnvValues::shown) != text) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    OneFile files(std::string(reinterpret_cast<const char*>(data), size));
    const auto config = vigil::config::load(files, "/fuzz.json");
    if (!config) {
        if (config.error().empty() || vigil::config::text(config.error()).empty()) std::abort();
        return 0;
    }
    for (const auto& spec : config->tasks) {
        if (!vigil::config::task_name_fault(spec->name).empty() || spec->command.empty()) std::abort();
        check_description(*spec);
    }
    return 0;
}
