// The customer's words, in the language of the page.
import { en } from "./en";
import { ru } from "./ru";
import { translated } from "./translated.svelte";

export const t = translated({ en, ru });
