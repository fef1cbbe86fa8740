// The console's words, in the language of the page. They load with the console and not before.
import { translated } from "../i18n/translated.svelte";
import { en } from "./en";
import { ru } from "./ru";

export const o = translated({ en, ru });
