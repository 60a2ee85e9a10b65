// The table of whole documents that the schema is checked against, as the parser sees it.
#include <fstream>
#include <sstream>

#include "json/writer.hpp"
#include "support.hpp"

using namespace vigil;
using namespace vigil::config;

namespace {

std::string text_of(const char* path) {
    std::ifstream file(path, std::ios::binary);
    REQUIRE(file);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace

TEST_CASE("the parser's verdict on each document of the table is the one written there") {
    const json::Value table = tree(text_of(VIGIL_DOCUMENTS));
    REQUIRE(table.as_array()->size() > 20);
    for (const json::Value& row : *table.as_array()) {
        CAPTURE(*row.find("name")->as_string());
        const bool good = *row.find("verdict")->as_string() == "good";
        CHECK(problems_of(json::to_text(*row.find("document"))).empty() == good);
    }
}

TEST_CASE("the configuration that is shipped is read without a problem and starts nothing") {
    MemoryFiles files;
    files.texts[kMain] = text_of(VIGIL_SHIPPED_CONFIG);
    const auto config = load(files, kMain);
    REQUIRE_MESSAGE(config.ok(), text(config.ok() ? std::vector<Problem>{} : config.error()));
    CHECK(config->tasks.empty());
}
