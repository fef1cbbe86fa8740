// Starts the page: styles, then the application.
import { mount } from "svelte";
import App from "./App.svelte";
import { language } from "./i18n/language.svelte";
import "./styles/tokens.css";
import "./styles/base.css";

const target = document.getElementById("page");
if (!target) throw new Error("index.html has no element with the id page");

language.start();

export default mount(App, { target });
