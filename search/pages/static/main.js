// What the pages do beyond what the server sends. Everything works without it, only slower.
import { checkWhileTyping } from "./check.js";
import { brushHistograms } from "./brush.js";
import { follow } from "./live.js";
import { listenToKeys } from "./keys.js";
import { offerCopies } from "./copy.js";
import { markInPlace } from "./marks.js";
import { ownZone } from "./zone.js";

ownZone();
checkWhileTyping();
brushHistograms();
markInPlace();
offerCopies();
listenToKeys();
follow();
